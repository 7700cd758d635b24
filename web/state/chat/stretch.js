/**
 * The part of a conversation's log that is loaded: one stretch without gaps, up to the newest entry that came, so that no edit or deletion of
 * something that is shown is missing. Entries that come ahead of a gap wait for it to be filled.
 *
 * Loads older ones from the local copy, else from the server. `Sync` decides what is fetched at the newer end; `Conversation` gives out what is
 * here. Tells it through `changed`.
 */

/** @import { Room } from '../../api.js' */
/** @import { Archive } from './archive.js' */
/** @import { Outbox } from './outbox.js' */
/** @import { LogRecord } from './records.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { rangeWith } from './ranges.js';
import { Timeline } from './timeline.js';

/** Read from the local copy at once: a few screens, in a few milliseconds. */
const LOCAL_PAGE = 500;
/** Kept in memory of a conversation that nobody looks at. */
export const TAIL = 200;
/** Of a conversation that nobody looks at, this many may gather before it is cut to its tail. */
const MAX_IDLE = 1_000;
/** A jump to a message that the local copy has. */
const JUMP_PAGE = 5_000;
/** How far back a jump looks for a message that the local copy does not have: 10,000 entries on the server. */
const MAX_JUMP_PAGES = 50;
/** Pages of nothing but reactions and edits are passed over, this many in one go. */
const MAX_EMPTY_PAGES = 20;
/** Entries ahead of a gap; what is beyond is in the local copy and fetched again. */
const MAX_AHEAD = 500;

/** @typedef {{ me: string, storage: ChatStorage, archive: Archive, outbox: Outbox, now: () => number, loadedLocally: (room: string, records: readonly LogRecord[]) => void }} Sources */

export class Stretch {
  #room;
  #sources;
  #changed;
  #timeline;
  #firstSeq;
  #lastSeq;
  #low = 1;
  #high = 0;
  /** @type {Map<number, LogRecord>} */
  #ahead = new Map();
  #loaded;
  #wroteAt = -Infinity;
  /** How often something came of what is not loaded. */
  #olderCame = 0;
  /** Nothing is let go of while somebody looks. */
  #kept = false;
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {Room} room
   * @param {Sources} sources
   * @param {(reason: 'messages' | 'reset') => void} changed
   */
  constructor(room, sources, changed) {
    this.#room = room.id;
    this.#sources = sources;
    this.#changed = changed;
    this.#timeline = new Timeline(sources.me);
    this.#firstSeq = room.first_seq;
    this.#lastSeq = room.last_seq;
    this.#loaded = room.last_seq === 0;
  }

  get timeline() {
    return this.#timeline;
  }

  /** Whether there is something to show, if only that nobody wrote yet. */
  get loaded() {
    return this.#loaded;
  }

  get low() {
    return this.#low;
  }

  /** The number of the newest entry that is loaded without a gap; 0: none. */
  get high() {
    return this.#high;
  }

  /** The first entry that the server still has. */
  get firstSeq() {
    return this.#firstSeq;
  }

  /** What the server said last, or what came since. */
  get toldLastSeq() {
    return this.#lastSeq;
  }

  /** The newest entry known of. */
  get lastSeq() {
    return Math.max(this.#lastSeq, this.#high, ...this.#ahead.keys());
  }

  /** When this user's last message was sent, or how long ago its coming was seen, whichever is earlier; -Infinity when none is here. */
  get wroteAt() {
    return this.#wroteAt;
  }

  get hasMoreBefore() {
    return this.#high > 0 && this.#low > this.#firstSeq;
  }

  /** @param {boolean} kept */
  keep(kept) {
    this.#kept = kept;
    if (!kept) this.trim();
  }

  /** The server's word about its log. @param {Room} room */
  setBounds(room) {
    this.#lastSeq = room.last_seq;
    if (room.last_seq === 0) this.#loaded = true;
    // A list that was on its way may be older than what came meanwhile.
    if (room.first_seq <= this.#firstSeq) return;
    this.#firstSeq = room.first_seq;
    if (this.#firstSeq <= this.#low || this.#high === 0) return;
    this.#timeline.dropBelow(this.#firstSeq);
    this.#low = this.#firstSeq;
    // All that was here may be gone, and more: what is there now follows.
    this.#high = Math.max(this.#high, this.#firstSeq - 1);
    this.#drain();
    this.#changed('messages');
  }

  /** There is an entry of this number, to be fetched. @param {number} seq */
  heardOf(seq) {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
  }

  /** The newest from the local copy. @param {LogRecord[]} records */
  restore(records) {
    if (this.#high === 0) this.#start(records, 'messages');
  }

  /**
   * @param {LogRecord[]} records that follow one another without a gap
   * @param {'wait' | 'replace'} gap what to do when there is a gap before them
   */
  take(records, gap) {
    const first = records[0]?.seq;
    if (first === undefined) return;
    if (this.#high === 0) this.#start(records, 'messages');
    else if (first <= this.#high + 1) this.#extend(records);
    else if (gap === 'replace') this.#start(records, 'reset');
    else for (const record of records) if (this.#ahead.size < MAX_AHEAD) this.#ahead.set(record.seq, record);
  }

  /** Retention left nothing, or nobody wrote yet. @param {number} lastSeq */
  nothingUpTo(lastSeq) {
    if (this.#high < lastSeq) this.#start([], 'messages');
    this.#high = Math.max(this.#high, lastSeq);
    this.#low = this.#high + 1;
    this.#changed('messages');
  }

  /** The server's log is another one now (it was restored from a backup): nothing of it is known. */
  forget() {
    this.#ahead.clear();
    this.#timeline.clear();
    this.#low = 1;
    this.#high = 0;
    this.#loaded = false;
    this.#changed('reset');
  }

  loadBefore() {
    this.#loading ??= this.#loadSome().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** @param {string} id */
  async jumpTo(id) {
    if (this.#timeline.indexOf(id) >= 0) return true;
    await this.#loading;
    const known = await this.#sources.storage.find(this.#room, id).catch(() => undefined);
    for (let page = 0; page < MAX_JUMP_PAGES && this.hasMoreBefore && this.#timeline.indexOf(id) < 0; page += 1) {
      const missing = known ? this.#low - known.seq : 0;
      if (known && missing <= 0) break;
      await this.#loadPage(Math.max(LOCAL_PAGE, Math.min(JUMP_PAGE, missing + TAIL)));
    }
    this.#changed('messages');
    return this.#timeline.indexOf(id) >= 0;
  }

  trim() {
    if (this.#timeline.length <= 2 * TAIL || this.#loading !== null) return;
    const first = Math.max(this.#low, this.#high - TAIL + 1);
    const high = this.#high;
    void this.#sources.storage.entries(this.#room, first, high).then((records) => {
      // Something came meanwhile, or the local copy has not all of it: another time.
      if (this.#kept || this.#high !== high || records.length !== high - first + 1) return;
      this.#start(records, 'reset');
    }, () => {});
  }

  /** @param {LogRecord[]} records @param {'messages' | 'reset'} reason */
  #start(records, reason) {
    this.#timeline.clear();
    this.#low = records[0]?.seq ?? 1;
    this.#high = records.at(-1)?.seq ?? 0;
    this.#put(records);
    this.#loaded = true;
    this.#drain();
    this.#changed(reason);
  }

  /** @param {LogRecord[]} records */
  #extend(records) {
    const wanted = records.filter(({ seq }) => seq >= this.#low);
    if (wanted.length < records.length) this.#olderCame += 1;
    this.#high = Math.max(this.#high, records.at(-1)?.seq ?? 0);
    this.#put(wanted);
    this.#drain();
    if (!this.#kept && this.#timeline.length > MAX_IDLE) this.trim();
    this.#changed('messages');
  }

  /** What waited for a gap that is filled now. */
  #drain() {
    for (let next = this.#ahead.get(this.#high + 1); next; next = this.#ahead.get(this.#high + 1)) {
      this.#high += 1;
      this.#put([next]);
    }
    for (const seq of this.#ahead.keys()) if (seq <= this.#high) this.#ahead.delete(seq);
  }

  /** @param {LogRecord[]} records */
  #put(records) {
    this.#timeline.put(records);
    this.#lastSeq = Math.max(this.#lastSeq, this.#high);
    this.#sources.outbox.tookUpTo(this.#room, this.#high);
    for (const { id, kind, sender, at } of records) {
      if (sender !== this.#sources.me || kind === 'dropped') continue;
      this.#sources.outbox.took(id);
      if (kind === 'message') this.#wroteAt = Math.max(this.#wroteAt, Math.min(at, this.#sources.now()));
    }
  }

  async #loadSome() {
    const before = this.#timeline.length;
    for (let page = 0; page < MAX_EMPTY_PAGES && this.hasMoreBefore && this.#timeline.length === before; page += 1) await this.#loadPage(LOCAL_PAGE);
    this.#changed('messages');
  }

  /** @param {number} wanted @returns {Promise<void>} */
  async #loadPage(wanted) {
    const [low, olderCame] = [this.#low, this.#olderCame];
    const records = (await this.#loadLocal(low - 1, wanted)) ?? (await this.#sources.archive.fetch(this.#room, { before: low })).records;
    // The window was replaced meanwhile.
    if (low !== this.#low) return;
    // Some of it was opened meanwhile: what was read is not what there is.
    if (olderCame !== this.#olderCame) return this.#loadPage(wanted);
    if (records.length === 0) this.#firstSeq = low;
    // Not all up to what is here: it would stay a gap.
    else if (records.at(-1)?.seq !== low - 1) throw new ApiError('bad_answer', 0);
    this.#timeline.put(records);
    this.#low = records[0]?.seq ?? low;
  }

  /** @param {number} last @param {number} wanted @returns {Promise<LogRecord[] | null>} null when the server has to be asked */
  async #loadLocal(last, wanted) {
    const { storage } = this.#sources;
    try {
      const range = rangeWith(await storage.ranges(this.#room), last);
      if (range === null) return null;
      const first = Math.max(range[0], this.#firstSeq, last - wanted + 1);
      const records = await storage.entries(this.#room, first, last);
      if (records.length !== last - first + 1) return null;
      this.#sources.loadedLocally(this.#room, records);
      return records;
    } catch {
      return null;
    }
  }
}
