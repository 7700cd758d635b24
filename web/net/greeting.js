/** Whether the signalling WebSocket gets through: opens one as the app does, waits for the greeting, and closes it. Keeps nothing. */

/** @import { Wiring } from './socket.js' */

import { SignalError, SignalSocket } from './socket.js';

/** Twice what one try may take: a proxy that loses the first is no proxy that passes none. */
const PATIENCE_MS = 16_000;

/**
 * @param {Wiring} wiring
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects with a `code`, or with what `ticket` rejected with
 */
export async function greeting(wiring, signal) {
  const over = new AbortController();
  /** @type {SignalSocket | null} */
  let socket = null;
  try {
    await new Promise((resolve, reject) => {
      const ticket = async () => {
        try {
          return await wiring.ticket();
        } catch (error) {
          reject(error);
          throw error;
        }
      };
      const timer = setTimeout(() => reject(new SignalError('no_greeting')), PATIENCE_MS);
      over.signal.addEventListener('abort', () => clearTimeout(timer));
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal });
      socket = new SignalSocket({ ...wiring, ticket });
      socket.addEventListener('up', resolve);
      socket.addEventListener('ended', (event) => reject(new SignalError(/** @type {CustomEvent} */ (event).detail.code)));
      socket.connect();
    });
  } finally {
    over.abort();
    /** @type {SignalSocket | null} */ (socket)?.close();
  }
}
