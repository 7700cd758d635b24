/** What is remembered of the client's code: one record in a database of its own, that stays when somebody logs out. Written by the service worker, read by the settings. */

/** @import { Known, Seen } from './interface.js' */

import { done } from '../indexed.js';
import { judge } from './judge.js';

const NAME = 'webcall-client';
const STORE = 'known';
const KEY = 'known';

/**
 * @param {IDBFactory} factory
 * @returns {Promise<Known | null>}
 */
export async function known(factory) {
  const database = await open(factory);
  try {
    return (await done(database.transaction(STORE).objectStore(STORE).get(KEY))) ?? null;
  } finally {
    database.close();
  }
}

/**
 * Judged and written in one transaction.
 * @param {IDBFactory} factory
 * @param {Seen} seen
 * @param {number} at
 */
export async function remember(factory, seen, at) {
  const database = await open(factory);
  try {
    const transaction = database.transaction(STORE, 'readwrite');
    const store = transaction.objectStore(STORE);
    const judged = judge((await done(store.get(KEY))) ?? null, seen, at);
    await done(store.put(judged.known, KEY));
    return judged.news;
  } finally {
    database.close();
  }
}

/** @param {IDBFactory} factory @returns {Promise<IDBDatabase>} */
function open(factory) {
  const request = factory.open(NAME, 1);
  request.onupgradeneeded = () => void request.result.createObjectStore(STORE);
  return done(request);
}
