// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The talkers in a table, and in a sentence that is read out.

import { decimal, sentence, signedDegrees } from './format.js';
import { badge } from './talker_looks.js';

// The sentence is read out when it changes, but not sooner again than this [ms], and in steps of
// so many degrees.
const BREATH = 2500;
const STEP = 10;

export class Talkers {
  constructor(table, shown, spoken) {
    this.body = table.querySelector('tbody');
    this.shown = shown;
    this.spoken = spoken;
    this.rows = new Map();
    this.said = 0;
  }

  draw(tracks) {
    const text = sentence(tracks);
    if (this.shown.textContent !== text) this.shown.textContent = text;
    this.#say(tracks);
    const ids = new Set(tracks.map((track) => track.id));
    for (const [id, row] of this.rows) {
      if (!ids.has(id)) {
        row.remove();
        this.rows.delete(id);
      }
    }
    for (const track of tracks) this.#drawRow(track);
  }

  #drawRow(track) {
    let row = this.rows.get(track.id);
    if (!row) {
      row = document.createElement('tr');
      row.innerHTML = '<th scope="row"></th><td></td><td></td><td></td><td></td>';
      this.rows.set(track.id, row);
      this.body.append(row);
    }
    const [name, azimuth, elevation, confidence, state] = row.children;
    const looks = `${track.number} ${track.predicted}`;
    if (name.dataset.looks !== looks) {
      name.dataset.looks = looks;
      const number = document.createElement('span');
      number.className = 'unseen';
      number.textContent = String(track.number);
      name.title = `track_id ${track.id}`;
      name.replaceChildren(badge(track), number);
    }
    azimuth.textContent = signedDegrees(track.azimuth);
    elevation.textContent = track.elevation === null ? '–' : signedDegrees(track.elevation);
    confidence.textContent = decimal(100 * track.confidence, 0, ' %');
    state.textContent = track.predicted ? 'pauses' : 'speaks';
  }

  #say(tracks) {
    const now = performance.now();
    if (now - this.said < BREATH) return;
    const text = sentence(tracks, STEP);
    if (this.spoken.textContent === text) return;
    this.spoken.textContent = text;
    this.said = now;
  }
}
