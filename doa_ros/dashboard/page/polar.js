// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Seen from above, the front of the array upwards: spectrum, estimates and talkers.

import { degrees, signedDegrees } from './format.js';
import { kindOf, numbered, svg } from './talker_looks.js';

const RIM = 96;
const INNER = 26;
// The microphones are drawn this large [m to units], but within INNER.
const MICROPHONES = 18;
// A spectrum is drawn as if its peak were at least this [probability].
const LEAST_PEAK = 0.2;

function place(azimuth, radius) {
  return [-radius * Math.sin(azimuth), -radius * Math.cos(azimuth)];
}

function point(azimuth, radius) {
  return place(azimuth, radius)
    .map((value) => value.toFixed(1))
    .join(' ');
}

export class Polar {
  constructor(parent) {
    this.microphones = svg('g');
    this.spectrum = svg('path', { class: 'spectrum' });
    this.estimates = svg('g');
    this.talkers = svg('g');
    this.groups = new Map();
    const picture = svg(
      'svg',
      {
        viewBox: '-132 -124 264 248',
        role: 'img',
        'aria-label': 'Directions of the sound, seen from above, the front upwards',
      },
      ...this.#grid(),
      this.spectrum,
      svg('circle', { class: 'hub', r: INNER }),
      this.microphones,
      this.estimates,
      this.talkers,
    );
    parent.append(picture);
  }

  #grid() {
    const parts = [INNER, (INNER + RIM) / 2, RIM].map((radius) =>
      svg('circle', { class: radius === RIM ? 'ring rim' : 'ring', r: radius }),
    );
    for (let angle = -150; angle <= 180; angle += 30) {
      const azimuth = (angle * Math.PI) / 180;
      const d = `M${point(azimuth, INNER)}L${point(azimuth, RIM)}`;
      const [x, y] = place(azimuth, RIM + 21);
      const name = { 0: 'front', 90: 'left', 180: 'back', '-90': 'right' }[angle];
      const label = name ?? signedDegrees(azimuth);
      parts.push(svg('path', { class: 'spoke', d }), svg('text', { x, y }, label));
    }
    return parts;
  }

  setArray(array) {
    const reach = Math.max(...array.microphones.map(({ x, y }) => Math.hypot(x, y)), 1e-6);
    const scale = MICROPHONES / reach;
    // The array's x is up, its y to the left.
    const dots = array.microphones.map(({ x, y }) =>
      svg('circle', { class: 'microphone', r: 1.7, cx: -y * scale, cy: -x * scale }),
    );
    this.microphones.replaceChildren(
      ...dots,
      svg('path', { class: 'front', d: 'M0-7 3 0H-3Z' }),
    );
  }

  draw(frame) {
    this.#drawSpectrum(frame.spectrum);
    this.estimates.replaceChildren(
      ...(frame.estimates ?? []).map(({ azimuth }) =>
        svg('path', {
          class: 'estimate',
          d: `M0 ${-RIM - 8.5}L3.4 ${-RIM - 15}H-3.4Z`,
          transform: `rotate(${-degrees(azimuth)})`,
        }),
      ),
    );
    this.#drawTalkers(frame.tracks ?? []);
  }

  #drawSpectrum(spectrum) {
    if (!spectrum) {
      this.spectrum.setAttribute('d', '');
      return;
    }
    const scale = (spectrum.peak ?? 0) / Math.max(spectrum.peak ?? 0, LEAST_PEAK);
    const points = Array.from(spectrum.values, (value, k) => {
      const height = Math.max(value, 0) * scale;
      const azimuth = spectrum.azimuth_min + k * spectrum.azimuth_step;
      return point(azimuth, INNER + (RIM - 4 - INNER) * height);
    });
    this.spectrum.setAttribute('d', `M${points.join('L')}Z`);
  }

  #drawTalkers(tracks) {
    const ids = new Set(tracks.map((track) => track.id));
    for (const [id, group] of this.groups) {
      if (!ids.has(id)) {
        group.root.remove();
        this.groups.delete(id);
      }
    }
    for (const track of tracks) this.#drawTalker(track);
  }

  #drawTalker(track) {
    let group = this.groups.get(track.id);
    if (!group) {
      group = this.#makeTalker(track);
      this.groups.set(track.id, group);
      this.talkers.append(group.root);
    }
    const angle = degrees(track.azimuth);
    group.root.setAttribute('transform', `rotate(${-angle})`);
    group.root.classList.toggle('predicted', track.predicted);
    group.mark.setAttribute('transform', `translate(0 ${-RIM}) rotate(${angle})`);
    const half = Math.min(track.azimuth_stddev ?? 0, Math.PI / 2);
    const ends = `M${point(half, RIM)}A${RIM} ${RIM} 0 0 1 ${point(-half, RIM)}`;
    group.spread.setAttribute('d', half ? ends : '');
  }

  #makeTalker(track) {
    const mark = svg('g', {}, ...numbered(track.number));
    const spread = svg('path', { class: 'spread' });
    const root = svg(
      'g',
      { class: `talker talker-${kindOf(track.number)}`, 'data-talker': track.number },
      spread,
      svg('line', { class: 'shaft', x1: 0, y1: -INNER, x2: 0, y2: 24 - RIM }),
      svg('path', { class: 'head', d: `M0 ${14 - RIM}L5 ${25 - RIM}H-5Z` }),
      mark,
    );
    return { root, mark, spread };
  }
}
