// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// GCC-PHAT of the newest window: a row per pair of microphones, a column per lag.

// Cividis, which looks alike to people who see colours otherwise.
const STOPS = [
  [0, 32, 77],
  [49, 68, 107],
  [102, 105, 112],
  [149, 143, 120],
  [203, 186, 105],
  [255, 234, 70],
];
const COLOURS = Array.from({ length: 256 }, (_, k) => {
  const position = (k / 255) * (STOPS.length - 1);
  const below = Math.min(Math.floor(position), STOPS.length - 2);
  return STOPS[below].map((value, c) =>
    Math.round(value + (STOPS[below + 1][c] - value) * (position - below)),
  );
});
const LEFT = 34;
const BOTTOM = 22;

export class HeatMap {
  constructor(canvas, peak) {
    this.canvas = canvas;
    this.peak = peak;
    this.image = document.createElement('canvas');
    this.pairs = [];
    new ResizeObserver(() => {
      canvas.width = canvas.clientWidth * devicePixelRatio;
      canvas.height = canvas.clientHeight * devicePixelRatio;
    }).observe(canvas);
  }

  setArray(array) {
    const order = new Map(array.microphones.map(({ label }, k) => [label, k + 1]));
    this.pairs = array.pairs.map(([a, b]) => `${order.get(a)}–${order.get(b)}`);
  }

  draw(map) {
    const context = this.canvas.getContext('2d');
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    if (!map) return;
    this.#paint(map);
    const scale = devicePixelRatio;
    const [left, high] = [LEFT * scale, height - BOTTOM * scale];
    context.imageSmoothingEnabled = false;
    context.drawImage(this.image, left, 0, width - left, high);
    context.font = `${11 * scale}px system-ui, sans-serif`;
    context.fillStyle = getComputedStyle(this.canvas).color;
    const row = high / map.rows;
    const every = Math.ceil((13 * scale) / row);
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (let k = 0; k < map.rows; k += every) {
      context.fillText(this.pairs[k] ?? String(k + 1), left - 6 * scale, (k + 0.5) * row);
    }
    const longest = `${(1000 * (map.longest_lag ?? 0)).toFixed(2)} ms`;
    context.textBaseline = 'bottom';
    for (const [text, share, align] of [
      [`−${longest}`, 0, 'left'],
      ['lag 0', 0.5, 'center'],
      [`+${longest}`, 1, 'right'],
    ]) {
      context.textAlign = align;
      context.fillText(text, left + share * (width - left), height);
    }
    this.peak.textContent = (map.peak ?? 0).toFixed(2);
  }

  #paint(map) {
    this.image.width = map.columns;
    this.image.height = map.rows;
    const context = this.image.getContext('2d');
    const pixels = context.createImageData(map.columns, map.rows);
    map.values.forEach((value, k) => {
      const colour = COLOURS[Math.round(255 * Math.max(value, 0))];
      pixels.data.set([...colour, 255], 4 * k);
    });
    context.putImageData(pixels, 0, 0);
  }
}
