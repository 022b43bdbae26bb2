// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The level of each channel, and whether it is well.

// The meters show levels from here on [dB of full scale]; a channel of this one is constant.
const LEAST = -90;
const SILENT = -120;
// How fast the mark of the highest level falls [dB per frame].
const FALL = 0.4;

function share(level) {
  return Math.min(Math.max(1 - level / LEAST, 0), 1);
}

export class Meters {
  constructor(section) {
    this.list = section.querySelector('ul');
    this.empty = section.querySelector('.empty');
    this.rows = [];
    this.channels = [];
  }

  setChannels(channels) {
    if (channels.map((c) => c.label).join() !== this.channels.map((c) => c.label).join()) {
      this.rows = channels.map((channel) => this.#makeRow(channel));
      this.list.replaceChildren(...this.rows.map((row) => row.root));
    }
    this.channels = channels;
    this.empty.hidden = channels.length > 0;
    channels.forEach((channel, k) => {
      const { root, health, fault } = this.rows[k];
      root.classList.toggle('faulty', channel.fault !== '');
      const well = channel.fault === '';
      health.textContent = well ? '✓' : '!';
      health.title = well ? 'well' : channel.fault;
      health.setAttribute('aria-label', well ? 'well' : 'faulty');
      if (fault.textContent !== channel.fault) fault.textContent = channel.fault;
      fault.hidden = well;
    });
  }

  #makeRow(channel) {
    const root = document.createElement('li');
    root.innerHTML =
      '<span class="name"></span><span class="bar" aria-hidden="true"><i></i><b></b></span>' +
      '<span class="value"></span><span class="health" role="img"></span>' +
      '<span class="fault" hidden></span>';
    const part = (name) => root.querySelector(name);
    part('.name').textContent = channel.label || `channel ${channel.number}`;
    part('.name').title = `channel ${channel.number}`;
    root.classList.toggle('unused', channel.label === '');
    return {
      root,
      bar: part('i'),
      mark: part('b'),
      value: part('.value'),
      health: part('.health'),
      fault: part('.fault'),
      highest: LEAST,
    };
  }

  draw(levels) {
    this.channels.forEach((channel, k) => {
      // Without the sound itself, there are the levels of the diagnostics, once a second.
      const level = (levels?.length === this.channels.length ? levels[k] : channel.level) ?? LEAST;
      const row = this.rows[k];
      row.highest = Math.max(level, row.highest - FALL);
      row.bar.style.transform = `scaleX(${share(level)})`;
      row.mark.style.left = `${100 * share(row.highest)}%`;
      row.value.textContent = level <= SILENT ? 'silent' : `${level.toFixed(0)} dB`;
    });
  }
}
