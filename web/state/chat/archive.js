/**
 * Where records come from: pages of the server's log and live entries, opened, kept in the local copy, and told to whoever follows them.
 *
 * Which log opens a room's entries, the account says. A local copy that cannot be written (a full disk) is no reason to show nothing: the records are given on all the same. Says `stored` {room, records}.
 */

/** @import { EntryPage } from '../../api.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { Api } from '../../net/api.js' */
/** @import { LogRecord } from './records.js' */
/** @import { Log } from './seal.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { emptied } from './records.js';

/** As many as the server gives at once. */
export const PAGE = 200;
/** Read from the local copy at once. */
const CHUNK = 500;
/** Pages in a row of which nothing opened: what is older was written before this user came. */
const MAX_FRUITLESS = 3;
/** What lacked a key, one kind after the other: what a member filled the room with keeps nobody from what was written before. @type {readonly [string, (record: LogRecord) => boolean][]} */
const LACKING = [
  ['before', ({ notice }) => notice === 'before'],
  ['keyless', ({ keyless }) => keyless === true],
];
/** Deletions remembered, so that a page that was on its way meanwhile does not bring a text back. */
const MAX_DELETIONS = 1_000;

/** @typedef {{ records: LogRecord[], firstSeq: number, lastSeq: number }} Page */
/** What came of a page that was tried again; `first`: its first entry, 0 if there was none. @typedef {{ isNews: boolean, first: number }} Tried */
/** @typedef {(closed: LogRecord[], seq: number) => Promise<Tried>} Try */

export class Archive extends EventTarget {
  #api;
  #storage;
  #logOf;
  /** @type {Set<string>} */
  #deletions = new Set();
  /** By room and what was looked for: below this nothing was tried yet. @type {Map<string, number>} */
  #givenUp = new Map();

  /**
   * @param {Api} api
   * @param {ChatStorage} storage
   * @param {(room: string) => Log} logOf
   */
  constructor(api, storage, logOf) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#logOf = logOf;
  }

  /**
   * @param {string} room
   * @param {{ before?: number, after?: number }} where neither: the newest
   * @param {number} [limit]
   * @returns {Promise<Page>}
   */
  async fetch(room, where, limit = PAGE) {
    const page = await this.#page(room, where, limit);
    if (!isWhere(page, where)) throw new ApiError('bad_answer', 0);
    const records = await this.take(room, page.entries);
    return { records, firstSeq: page.first_seq, lastSeq: page.last_seq };
  }

  /**
   * @param {string} room
   * @param {readonly Entry[]} entries that follow one another without a gap
   * @returns {Promise<LogRecord[]>} of an encrypted room perhaps only the first of them, then the others are to be taken again
   */
  async take(room, entries) {
    return entries.length === 0 ? [] : this.#logOf(room).take(room, entries, (records) => this.keep(room, records));
  }

  /**
   * What stands in the local copy as not opened is tried once more, the newest first: its keys may be here now. What came before anybody vouched for
   * this device is there as it came; what lacked a key is fetched.
   * @param {string} room
   * @param {(records: LogRecord[]) => void} opened what is something else now, page by page
   */
  async readAgain(room, opened) {
    const log = this.#logOf(room);
    await this.#readAll(room, 'put off', (record) => log.isPutOff(room, record), async (closed) => {
      const records = await log.reopen(room, closed, (some) => this.keep(room, some));
      opened(records);
      return { isNews: records.length > 0, first: closed[0]?.seq ?? 0 };
    });
    for (const [kind, isClosed] of LACKING) await this.#readAll(room, kind, isClosed, (closed, seq) => this.#fetchAgain(room, closed, seq, isClosed, opened));
  }

  /**
   * @param {string} room
   * @param {readonly LogRecord[]} held
   * @param {number} seq of the last of them
   * @param {(record: LogRecord) => boolean} isClosed
   * @param {(records: LogRecord[]) => void} opened
   * @returns {Promise<Tried>}
   */
  async #fetchAgain(room, held, seq, isClosed, opened) {
    const closed = new Set(held.map((record) => record.seq));
    const { records } = await this.fetch(room, { before: seq + 1 });
    const news = records.filter((record) => closed.has(record.seq) && !isClosed(record));
    opened(news);
    return { isNews: news.length > 0, first: records[0]?.seq ?? 0 };
  }

  /**
   * Down from the newest, and then from where it was given up the last time: what nobody here can open hides nothing that lies behind it.
   * @param {string} room
   * @param {string} kind
   * @param {(record: LogRecord) => boolean} isClosed
   * @param {Try} act
   */
  async #readAll(room, kind, isClosed, act) {
    const name = `${room} ${kind}`;
    const before = this.#givenUp.get(name);
    const stopped = await this.#readDown(room, Infinity, isClosed, act);
    const next = stopped > 0 && before !== undefined ? await this.#readDown(room, Math.min(stopped, before), isClosed, act) : stopped;
    if (next > 0) this.#givenUp.set(name, next);
    else this.#givenUp.delete(name);
  }

  /** @param {string} room @param {number} below @param {(record: LogRecord) => boolean} isClosed @param {Try} act @returns {Promise<number>} above where it was given up; 0: all was tried */
  async #readDown(room, below, isClosed, act) {
    let [fruitless, top] = [0, below];
    for (;;) {
      const seq = await this.#lastBelow(room, top, isClosed);
      if (seq === 0) return 0;
      if (fruitless === MAX_FRUITLESS) return seq + 1;
      const held = await this.#storage.entries(room, Math.max(1, seq - PAGE + 1), seq);
      const { isNews, first } = await act(held.filter(isClosed), seq);
      if (first === 0) return 0;
      fruitless = isNews ? 0 : fruitless + 1;
      top = Math.min(seq, first);
    }
  }

  /** The newest such entry of the local copy below another. @param {string} room @param {number} below @param {(record: LogRecord) => boolean} isSuch @returns {Promise<number>} 0: there is none */
  async #lastBelow(room, below, isSuch) {
    for (const [first, last] of [...(await this.#storage.ranges(room))].reverse()) {
      for (let top = Math.min(last, below - 1); top >= first; top -= CHUNK) {
        const found = (await this.#storage.entries(room, Math.max(first, top - CHUNK + 1), top)).findLast(isSuch);
        if (found) return found.seq;
      }
    }
    return 0;
  }

  /** How far the server's log goes now. @param {string} room */
  async lastSeqOf(room) {
    return (await this.#page(room, {}, 1)).last_seq;
  }

  /** The server's log is another one now: what is here of it goes. @param {string} room */
  forget(room) {
    return this.#logOf(room).forget(room, () => this.#storage.dropEntries(room));
  }

  /** One entry, wherever it stands: it may have to be fetched again. @param {string} room @param {Entry} entry */
  look(room, entry) {
    return this.#logOf(room).look(room, entry);
  }

  /**
   * @param {string} room
   * @param {LogRecord[]} opened that follow one another without a gap
   * @returns {Promise<LogRecord[]>} without what was deleted meanwhile
   */
  async keep(room, opened) {
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

  /** @param {string} room @param {{ before?: number, after?: number }} where @param {number} limit @returns {Promise<EntryPage>} */
  #page(room, where, limit) {
    const query = new URLSearchParams({ ...Object.fromEntries(Object.entries(where).map(([key, seq]) => [key, String(seq)])), limit: String(limit) });
    return this.#api.call('GET', `rooms/${encodeURIComponent(room)}/messages?${query}`);
  }
}

/** Only what the server says it no longer has may be left out. @param {EntryPage} page @param {{ before?: number, after?: number }} where */
function isWhere({ entries, first_seq: firstSeq }, { before, after }) {
  if (entries.length === 0) return true;
  if (after !== undefined) return entries[0]?.seq === Math.max(after + 1, firstSeq);
  return before === undefined || entries.at(-1)?.seq === before - 1;
}
