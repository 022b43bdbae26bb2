// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Dark or light: as the system has it, or as it was chosen.

const KEY = 'doa_ros theme';
const THEMES = ['system', 'dark', 'light'];

export function themes(button, onChange) {
  function show() {
    const theme = localStorage.getItem(KEY) ?? 'system';
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.querySelector('span').textContent = theme;
    onChange();
  }

  button.addEventListener('click', () => {
    const next = THEMES.indexOf(localStorage.getItem(KEY) ?? 'system') + 1;
    localStorage.setItem(KEY, THEMES[next % THEMES.length]);
    show();
  });
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', show);
  show();
}
