/**
 * Where records come from: pages of the server's log and live entries, opened, kept in the local copy, and told to whoever follows them.
 *
 * A local copy that cannot be written (a full disk) is no reason to show nothing: the records are given on all the same. Says `stored` {room, records}.
 */

/** @import { EntryPage } from '../../api.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { Api } from '../../net/api.js' */
/** @import { LogRecord } from './records.js' */
/** @import { Sealer } from './seal.js' */
/** @import { ChatStorage } from './storage.js' */

import { emptied, toRecord } from './records.js';

/** As many as the server gives at once. */
export const PAGE = 200;
/** Deletions remembered, so that a page that was on its way meanwhile does not bring a text back. */
const MAX_DELETIONS = 1_000;

/** @typedef {{ records: LogRecord[], firstSeq: number, lastSeq: number }} Page */

export class Archive extends EventTarget {
  #api;
  #storage;
  #sealer;
  /** @type {Set<string>} */
  #deletions = new Set();

  /**
   * @param {Api} api
   * @param {ChatStorage} storage
   * @param {Sealer} sealer
   */
  constructor(api, storage, sealer) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#sealer = sealer;
  }

  /**
   * @param {string} room
   * @param {{ before?: number, after?: number }} where neither: the newest
   * @param {number} [limit]
   * @returns {Promise<Page>}
   */
  async fetch(room, where, limit = PAGE) {
    const query = new URLSearchParams({ ...Object.fromEntries(Object.entries(where).map(([key, seq]) => [key, String(seq)])), limit: String(limit) });
    /** @type {EntryPage} */
    const page = await this.#api.call('GET', `rooms/${encodeURIComponent(room)}/messages?${query}`);
    const records = await this.take(room, page.entries);
    return { records, firstSeq: page.first_seq, lastSeq: page.last_seq };
  }

  /**
   * @param {string} room
   * @param {readonly Entry[]} entries that follow one another without a gap
   * @returns {Promise<LogRecord[]>}
   */
  async take(room, entries) {
    const opened = await Promise.all(entries.map((entry) => toRecord(room, entry, this.#sealer)));
    if (opened.length === 0) return opened;
    for (const { kind, about } of opened) if (kind === 'deletion' && about !== null) this.#deletions.add(about);
    for (const id of this.#deletions) {
      if (this.#deletions.size <= MAX_DELETIONS) break;
      this.#deletions.delete(id);
    }
    const records = opened.map((record) => (this.#deletions.has(record.id) ? emptied(record) : record));
    await this.#storage.putEntries(room, records).catch(() => {});
    this.dispatchEvent(new CustomEvent('stored', { detail: { room, records } }));
    return records;
  }
}
