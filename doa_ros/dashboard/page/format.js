// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Numbers and directions as people read them. Angles are in radians, counter-clockwise.

const DEGREE = Math.PI / 180;
// Within these angles of it, a direction is straight ahead or behind [degrees].
const STRAIGHT = 5;

export function degrees(angle) {
  return angle / DEGREE;
}

/** Return an angle as in `+40°`. */
export function signedDegrees(angle) {
  const rounded = Math.round(degrees(angle));
  return `${rounded > 0 ? '+' : rounded < 0 ? '−' : ''}${Math.abs(rounded)}°`;
}

/** Return an azimuth as in `40 degrees left`, rounded to a multiple of `step` degrees. */
export function direction(azimuth, step = 1) {
  const angle = Math.round(degrees(azimuth) / step) * step;
  if (Math.abs(angle) < STRAIGHT) return 'straight ahead';
  if (Math.abs(angle) > 180 - STRAIGHT) return 'straight behind';
  return `${Math.abs(angle)} degrees ${angle > 0 ? 'left' : 'right'}`;
}

/** Return what is known of all talkers in one sentence. */
export function sentence(tracks, step) {
  if (!tracks.length) return 'Nobody speaks';
  const parts = [...tracks]
    .sort((a, b) => a.number - b.number)
    .map((track) => `talker ${track.number}, ${direction(track.azimuth, step)}`);
  const text = parts.join('; ');
  return text[0].toUpperCase() + text.slice(1);
}

/** Return a number with so many digits after the point, a dash where it is not known. */
export function decimal(value, digits = 0, unit = '') {
  return value === null || value === undefined ? '–' : `${value.toFixed(digits)}${unit}`;
}
