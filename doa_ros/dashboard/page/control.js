// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Sensitivity and mute: shown to everybody, changed by those who have the token.

const KEY = 'doa_ros token';
// After a change, what the node said before it is not shown for this time [ms].
const SETTLE = 2500;

/** Keep the token of a link `#token=...`, and take it out of the address. */
function takeToken() {
  const match = /^#token=([\w-]+)$/.exec(location.hash);
  if (!match) return;
  sessionStorage.setItem(KEY, match[1]);
  history.replaceState(null, '', location.pathname);
}

/** Ask the server to do something; return what it says. */
export async function ask(action, content) {
  const response = await fetch(`/${action}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${sessionStorage.getItem(KEY) ?? ''}` },
    body: JSON.stringify(content),
  });
  const { said } = await response.json();
  if (response.status === 401) sessionStorage.removeItem(KEY);
  if (!response.ok) throw new Error(said);
  return said;
}

/** Return whether there is a token that may be right. */
export function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

export class Control {
  constructor(find) {
    takeToken();
    this.find = find;
    this.slider = find('sensitivity');
    this.value = find('sensitivity-value');
    this.mute = find('mute');
    this.form = find('token-form');
    this.said = find('control-said');
    this.touched = -Infinity;
    this.actions = [];
    this.slider.addEventListener('input', () => {
      this.touched = performance.now();
      this.value.textContent = Number(this.slider.value).toFixed(2);
    });
    this.slider.addEventListener('change', () =>
      this.#ask('sensitivity', { value: Number(this.slider.value) }),
    );
    this.mute.addEventListener('click', () => {
      const muted = this.mute.getAttribute('aria-pressed') !== 'true';
      this.#showMuted(muted);
      this.#ask('mute', { value: muted });
    });
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, find('token').value.trim());
      find('token').value = '';
      this.#allow();
    });
  }

  async #ask(action, content) {
    this.touched = performance.now();
    try {
      this.said.textContent = await ask(action, content);
    } catch (error) {
      this.said.textContent = error.message;
      this.touched = -Infinity;
    }
    this.#allow();
  }

  #allow() {
    const token = hasToken();
    this.find('read-only').hidden = this.actions.length > 0;
    this.form.hidden = !this.actions.length || token;
    this.slider.disabled = !(token && this.actions.includes('sensitivity'));
    this.mute.disabled = !(token && this.actions.includes('mute'));
    this.mute.hidden = !this.actions.includes('mute');
  }

  #showMuted(muted) {
    this.mute.setAttribute('aria-pressed', String(muted));
    this.find('mute-state').textContent = muted ? 'Muted: gives no answers' : 'Not muted';
  }

  draw(status) {
    this.actions = status.actions;
    this.#allow();
    if (performance.now() - this.touched < SETTLE) return;
    const known = status.sensitivity !== null;
    this.value.textContent = known ? status.sensitivity.toFixed(2) : '–';
    if (known) this.slider.value = status.sensitivity;
    const estimator = status.nodes.find((node) => node.node === 'doa_estimator');
    this.#showMuted(estimator?.values.muted === 'yes');
  }
}
