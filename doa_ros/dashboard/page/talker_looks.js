// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// How talkers are told apart: by number, shape and colour.

const SVG = 'http://www.w3.org/2000/svg';
const POLYGONS = [null, 4, 3, 6, 5, -4];
export const KINDS = POLYGONS.length;

/** Return which of the kinds a talker has. */
export function kindOf(number) {
  return (number - 1) % KINDS;
}

/** Return an element of SVG. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Return the outline of the shape of a kind around 0, 0. */
function outline(kind, radius) {
  const corners = POLYGONS[kind];
  if (corners === null) return `M0 ${-radius}A${radius} ${radius} 0 1 1 -.01 ${-radius}Z`;
  // A square on its corner, or on its side; shapes with few corners are larger.
  const turn = corners < 0 ? Math.PI / 4 : 0;
  const count = Math.abs(corners);
  const size = radius * (count === 3 ? 1.5 : 1.22);
  const points = Array.from({ length: count }, (_, k) => {
    const angle = (2 * Math.PI * k) / count + turn;
    return `${(size * Math.sin(angle)).toFixed(2)} ${(-size * Math.cos(angle)).toFixed(2)}`;
  });
  return `M${points.join('L')}Z`;
}

/** Return a talker's shape around 0, 0, and the number in it. */
export function numbered(number) {
  const kind = kindOf(number);
  return [
    svg('path', { class: 'shape', d: outline(kind, 8) }),
    svg('text', { y: POLYGONS[kind] === 3 ? 1.5 : 0.5 }, String(number)),
  ];
}

/** Return a picture of a talker's number in its shape. */
export function badge(track) {
  return svg(
    'svg',
    {
      class: `badge talker talker-${kindOf(track.number)}${track.predicted ? ' predicted' : ''}`,
      viewBox: '-14 -14 28 28',
      'aria-hidden': 'true',
    },
    ...numbered(track.number),
  );
}
