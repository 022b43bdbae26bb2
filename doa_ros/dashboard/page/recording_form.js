// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Records sound with the direction that a person enters.

import { ask, hasToken } from './control.js';

export class RecordingForm {
  constructor(find) {
    this.section = find('recording');
    this.button = find('record');
    this.progress = find('record-progress');
    this.said = find('record-said');
    this.section.querySelector('form').addEventListener('submit', (event) => {
      event.preventDefault();
      const elevation = find('record-elevation').value;
      this.#record({
        azimuth_deg: Number(find('record-azimuth').value),
        elevation_deg: elevation === '' ? null : Number(elevation),
        room: find('record-room').value,
      });
    });
  }

  async #record(content) {
    this.button.disabled = true;
    try {
      this.#say(await ask('record', content));
    } catch (error) {
      this.#say(error.message);
    }
  }

  #say(text) {
    if (this.said.textContent !== text) this.said.textContent = text;
  }

  draw(status) {
    this.section.hidden = !status.actions.includes('record');
    const { running, recorded, duration, said } = status.recording;
    this.button.disabled = running || !hasToken();
    this.progress.hidden = !running;
    this.progress.max = duration;
    this.progress.value = recorded;
    if (said && said !== this.last) this.#say(said);
    this.last = said;
  }
}
