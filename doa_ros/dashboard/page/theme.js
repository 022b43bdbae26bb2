// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// Dark or light: as the system has it, or as it was chosen.

const KEY = 'doa_ros theme';
const THEMES = ['system', 'dark', 'light'];

export function themes(button, onChange) {
  const light = matchMedia('(prefers-color-scheme: light)');

  function show() {
    const theme = localStorage.getItem(KEY) ?? 'system';
    const system = light.matches ? 'light' : 'dark';
    document.documentElement.dataset.theme = theme === 'system' ? system : theme;
    button.querySelector('span').textContent = theme;
    onChange();
  }

  button.addEventListener('click', () => {
    const next = THEMES.indexOf(localStorage.getItem(KEY) ?? 'system') + 1;
    localStorage.setItem(KEY, THEMES[next % THEMES.length]);
    show();
  });
  light.addEventListener('change', show);
  show();
}
