// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// What the nodes say of themselves, and how fast everything is.

import { decimal } from './format.js';

const LEVELS = ['✓ well', '▲ warning', '✕ error'];

function text(name, value) {
  const element = document.createElement(name);
  element.textContent = value;
  return element;
}

export class Nodes {
  constructor(section) {
    this.list = section.querySelector('ul');
    this.empty = section.querySelector('.empty');
    this.items = new Map();
  }

  draw(nodes) {
    this.empty.hidden = nodes.length > 0;
    const shown = nodes.map((node) => this.#item(node.node));
    // What is replaced would lose the focus.
    const same = shown.every((item, k) => item === this.list.children[k]);
    if (!same || shown.length !== this.list.children.length) this.list.replaceChildren(...shown);
    nodes.forEach((node, k) => this.#fill(shown[k], node));
  }

  #item(name) {
    let item = this.items.get(name);
    if (!item) {
      item = document.createElement('li');
      item.innerHTML =
        '<details><summary><span class="level"></span><span class="name"></span></summary>' +
        '<table><tbody></tbody></table></details><p class="message"></p>';
      item.querySelector('.name').textContent = name;
      this.items.set(name, item);
    }
    return item;
  }

  #fill(item, node) {
    item.dataset.level = node.level;
    item.querySelector('.level').textContent = LEVELS[node.level];
    const message = item.querySelector('.message');
    if (message.textContent !== node.message) message.textContent = node.message;
    const rows = Object.entries(node.values).map(([name, value]) => {
      const row = document.createElement('tr');
      const head = text('th', name);
      head.scope = 'row';
      row.append(head, text('td', value));
      return row;
    });
    item.querySelector('tbody').replaceChildren(...rows);
  }
}

export class Speed {
  constructor(find) {
    this.find = find;
  }

  addFrame(frame) {
    this.latency = frame.latency;
  }

  draw(status) {
    const set = (name, value, digits, unit) => {
      const known = value !== null && value !== undefined;
      this.find(name).replaceChildren(
        decimal(known ? Number(value) : null, digits),
        ' ',
        text('small', unit),
      );
    };
    const estimator = status.nodes.find((node) => node.node === 'doa_estimator')?.values;
    set('latency', this.latency === undefined ? null : 1000 * this.latency, 0, 'ms');
    set('rate', estimator?.['estimates [1/s]'], 1, 'per s');
    set('inference', estimator?.['inference p50 [ms]'], 2, 'ms');
    const { process, computer, cores } = status.processor;
    set('cpu-process', process === null ? null : 100 * process, 0, '% of a core');
    set('cpu-computer', computer === null ? null : 100 * computer, 0, `% of ${cores} cores`);
  }
}
