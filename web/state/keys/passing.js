/** Refusals of the worker of the keys that say nothing about what it was asked: the same may be asked another time. */

import { KeysRefused } from '../../e2ee/keys/page.js';

const PASSING = new Set(['closed', 'storage', 'worker', 'wasm', 'failed', 'entropy']);

/** Whether it is a refusal that holds. @param {unknown} error @returns {error is KeysRefused} */
export function isRefusal(error) {
  return error instanceof KeysRefused && !PASSING.has(error.code);
}
