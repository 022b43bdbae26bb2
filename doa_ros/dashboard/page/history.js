// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Azimuth over the last 30 s, by uPlot.

import { degrees } from './format.js';
import { KINDS, kindOf } from './talker_looks.js';

/* global uPlot */

const DURATION = 30;

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export class History {
  constructor(parent) {
    this.parent = parent;
    this.clear();
    this.restyle();
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(parent);
  }

  clear() {
    // Time, the best estimate, and the talkers of each kind.
    this.rows = Array.from({ length: 2 + KINDS }, () => []);
    this.latest = new Map();
  }

  #size() {
    return { width: this.parent.clientWidth, height: this.parent.clientHeight };
  }

  /** Take the colours of the theme. */
  restyle() {
    const axis = {
      stroke: colour('--quiet'),
      grid: { stroke: colour('--line'), width: 1 },
      ticks: { show: false },
      font: '12px system-ui, sans-serif',
    };
    const dots = (name, size) => ({
      paths: () => null,
      points: { show: true, size, width: 0, fill: colour(name), stroke: colour(name) },
    });
    const options = {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      select: { show: false },
      padding: [8, 22, 0, 0],
      scales: {
        x: { time: false, range: () => [-DURATION, 0] },
        y: { range: [-180, 180] },
      },
      axes: [
        { ...axis, size: 28, values: (_, ticks) => ticks.map((t) => (t ? `${t} s` : 'now')) },
        {
          ...axis,
          size: 46,
          splits: [-180, -90, 0, 90, 180],
          values: () => ['−180°', 'right', 'front', 'left', '180°'],
        },
      ],
      series: [
        {},
        dots('--quiet', 2.5),
        ...Array.from({ length: KINDS }, (_, kind) => dots(`--talker-${kind}`, 4.5)),
      ],
      hooks: { draw: [(plot) => this.#drawNumbers(plot)] },
    };
    this.plot?.destroy();
    this.plot = new uPlot(options, this.#data(), this.parent);
  }

  add(frame) {
    const times = this.rows[0];
    const last = times.at(-1);
    if (frame.stamp === last) return;
    // The clock was set, or a recording begins again.
    if (frame.stamp < last || frame.stamp > last + DURATION) this.clear();
    this.rows.forEach((row) => row.push(null));
    this.rows[0][this.rows[0].length - 1] = frame.stamp;
    this.rows[1][this.rows[1].length - 1] = frame.estimates?.length
      ? degrees(frame.estimates[0].azimuth)
      : null;
    for (const track of frame.tracks ?? []) {
      const row = this.rows[2 + kindOf(track.number)];
      row[row.length - 1] = degrees(track.azimuth);
      this.latest.set(track.number, [frame.stamp, degrees(track.azimuth)]);
    }
    let old = 0;
    while (this.rows[0][old] < frame.stamp - DURATION) old += 1;
    if (old) this.rows.forEach((row) => row.splice(0, old));
    for (const [number, [stamp]] of this.latest) {
      if (stamp < frame.stamp - DURATION) this.latest.delete(number);
    }
  }

  draw() {
    this.plot.setData(this.#data());
  }

  #data() {
    const now = this.rows[0].at(-1) ?? 0;
    return [this.rows[0].map((time) => time - now), ...this.rows.slice(1)];
  }

  /** Write each talker's number where they were heard last. */
  #drawNumbers(plot) {
    const now = this.rows[0].at(-1) ?? 0;
    const { ctx } = plot;
    ctx.save();
    ctx.font = `bold ${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = 'center';
    ctx.textBaseline = 'middle';
    for (const [number, [stamp, angle]] of this.latest) {
      const x = plot.valToPos(stamp - now, 'x', true) + 10 * devicePixelRatio;
      const y = plot.valToPos(angle, 'y', true);
      ctx.fillStyle = colour(`--talker-${kindOf(number)}`);
      ctx.beginPath();
      ctx.arc(x, y, 8 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill();
      ctx.fillStyle = colour('--on-talker');
      ctx.fillText(String(number), x, y);
    }
    ctx.restore();
  }
}
