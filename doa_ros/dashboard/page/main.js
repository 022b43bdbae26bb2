// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The page: what comes in, and who shows it.

import { connect } from './connection.js';
import { Control } from './control.js';
import { HeatMap } from './heat_map.js';
import { History } from './history.js';
import { Meters } from './meters.js';
import { Nodes, Speed } from './nodes.js';
import { Polar } from './polar.js';
import { RecordingForm } from './recording_form.js';
import { Talkers } from './talkers.js';
import { themes } from './theme.js';

const STATES = {
  live: ['live', 'Live'],
  again: ['live', 'Connected again'],
  lost: ['lost', 'Connection lost, trying again'],
  paused: ['waiting', 'Paused while nobody looks'],
  silent: ['silent', 'Connected, but no sound is analysed'],
};
// How long it is said that the connection is there again [ms].
const AGAIN = 6000;
// Who wants less motion gets so many pictures [ms].
const CALM_PERIOD = 500;

const find = (id) => document.getElementById(id);
const polar = new Polar(find('polar'));
const past = new History(document.querySelector('#history .plot'));
const map = new HeatMap(document.querySelector('#gcc canvas'), find('gcc-peak'));
const meters = new Meters(find('microphones'));
const talkers = new Talkers(find('talkers'), find('sentence'), find('spoken'));
const nodes = new Nodes(find('nodes'));
const speed = new Speed(find);
const control = new Control(find);
const recording = new RecordingForm(find);
const calm = matchMedia('(prefers-reduced-motion: reduce)');

let frame = {};
let status = null;
let arrayShown = '';
let waiting = false;
let drawn = 0;
let saidAgain = -Infinity;

themes(find('theme'), () => past.restyle());

function say(state) {
  const [kind, text] = STATES[state];
  const pill = find('connection');
  if (pill.textContent === text) return;
  pill.dataset.state = kind;
  pill.querySelector('span').textContent = text;
}

/** Return an array that was sent as bytes with its values, -1..1 of its peak. */
function unpacked(image) {
  if (!image) return image;
  const bytes = atob(image.bytes);
  const values = Float32Array.from(bytes, (byte) => (byte.charCodeAt(0) - 127) / 127);
  return { ...image, values };
}

function takeStatus(news) {
  if (status && status.page !== news.page) location.reload();
  status = news;
  const array = JSON.stringify(news.array);
  if (news.array && array !== arrayShown) {
    arrayShown = array;
    polar.setArray(news.array);
    map.setArray(news.array);
    past.clear();
  }
  find('place').textContent = [news.array?.name, news.namespace].filter(Boolean).join(' · ');
  meters.setChannels(news.channels);
  nodes.draw(news.nodes);
  speed.draw(news);
  control.draw(news);
  recording.draw(news);
}

function takeFrame(news) {
  show({ ...news, spectrum: unpacked(news.spectrum), gcc_phat: unpacked(news.gcc_phat) });
  if (frame.stamp !== undefined) past.add(frame);
  if (performance.now() - saidAgain > AGAIN) say(frame.stamp === undefined ? 'silent' : 'live');
}

/** Let a frame be drawn, unless a newer one comes first. */
function show(news) {
  frame = news;
  speed.addFrame(frame);
  if (waiting) return;
  waiting = true;
  const pause = calm.matches ? drawn + CALM_PERIOD - performance.now() : 0;
  setTimeout(() => requestAnimationFrame(draw), Math.max(pause, 0));
}

function draw() {
  waiting = false;
  drawn = performance.now();
  polar.draw(frame);
  talkers.draw(frame.tracks ?? []);
  map.draw(frame.gcc_phat);
  meters.draw(frame.levels);
  past.draw();
}

connect(
  (message) => (message.status ? takeStatus(message.status) : takeFrame(message.frame)),
  (state) => {
    if (state === 'again') saidAgain = performance.now();
    say(state);
    if (state === 'lost') show({});
  },
);
