// Copyright 2026 doa_ros contributors
// SPDX-License-Identifier: Apache-2.0
// The WebSocket: frames come in, and it connects again whenever it was lost.

// A page that is told nothing for this time connects again [ms].
const PATIENCE = 4000;
const DELAYS = [300, 600, 1200, 2500];
// A page that nobody sees for this time closes the connection, which saves the robot's time [ms].
const UNSEEN = 5000;
// After so many messages, the server is told how many have come.
const ACKNOWLEDGE = 4;

const decoder = new TextDecoder();

/**
 * Connect for as long as the page is seen.
 *
 * @param onMessage takes what the server says.
 * @param onState takes `live`, `again` (live after it was lost), `lost` or `paused`.
 */
export function connect(onMessage, onState) {
  let socket = null;
  let timer = 0;
  let unseen = 0;
  let failures = 0;
  let lost = false;

  function open() {
    clearTimeout(timer);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const own = new WebSocket(`${scheme}://${location.host}/live`);
    let received = 0;
    socket = own;
    own.binaryType = 'arraybuffer';
    own.onmessage = (event) => {
      if (own !== socket) return;
      if (!received) {
        onState(lost ? 'again' : 'live');
        lost = false;
        failures = 0;
      }
      received += 1;
      if (received % ACKNOWLEDGE === 0) own.send(String(received));
      watch(own);
      onMessage(JSON.parse(decoder.decode(event.data)));
    };
    own.onclose = () => fail(own);
    watch(own);
  }

  function watch(own) {
    clearTimeout(timer);
    timer = setTimeout(() => fail(own), PATIENCE);
  }

  function fail(own) {
    if (own !== socket) return;
    socket = null;
    own.close();
    clearTimeout(timer);
    lost = true;
    onState('lost');
    timer = setTimeout(open, DELAYS[Math.min(failures, DELAYS.length - 1)]);
    failures += 1;
  }

  function close() {
    clearTimeout(timer);
    const own = socket;
    socket = null;
    own?.close();
    onState('paused');
  }

  document.addEventListener('visibilitychange', () => {
    clearTimeout(unseen);
    if (document.hidden) unseen = setTimeout(close, UNSEEN);
    else if (socket === null) open();
  });
  open();
}
