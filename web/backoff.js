/**
 * How long to wait before trying again: grows by attempt, spread by chance so that everybody does not come back at once.
 *
 * Pure: the random number is an argument. Used by the socket, by negotiation and by a call that starts afresh.
 */

/**
 * @typedef {object} BackoffPolicy
 * @property {number} firstMs the wait before the first retry
 * @property {number} factor growth with each attempt
 * @property {number} maxMs never longer; a higher value spares a server that is down, a lower one brings callers back sooner
 */

/** For the WebSocket: a restarted server has its callers back in a few seconds. @type {BackoffPolicy} */
export const SOCKET_BACKOFF = { firstMs: 250, factor: 1.7, maxMs: 5_000 };

/** For a refused offer: a server that could not answer once is asked again soon, then less often. @type {BackoffPolicy} */
export const OFFER_BACKOFF = { firstMs: 400, factor: 2, maxMs: 8_000 };

/** For an upload whose connection was lost: a file lives for a day on the server, so there is time. @type {BackoffPolicy} */
export const UPLOAD_BACKOFF = { firstMs: 500, factor: 2, maxMs: 15_000 };

/** For a call that starts afresh after it was lost. @type {BackoffPolicy} */
export const REJOIN_BACKOFF = { firstMs: 200, factor: 2, maxMs: 10_000 };

/** For messages that wait and for gaps of the log: what is written is seldom urgent enough to press a server that is down. @type {BackoffPolicy} */
export const OUTBOX_BACKOFF = { firstMs: 500, factor: 2, maxMs: 30_000 };

/**
 * @param {BackoffPolicy} policy
 * @param {number} attempt 0 for the first retry
 * @param {number} random from 0 to 1
 * @returns {number} milliseconds, between half of the full wait and the full wait
 */
export function backoffMs(policy, attempt, random) {
  const fullMs = Math.min(policy.maxMs, policy.firstMs * policy.factor ** attempt);
  return Math.round(fullMs * (0.5 + random / 2));
}
