/**
 * Brings the local copy up to the server's log: first what each conversation missed, newest conversations first, then, slowly and in one window
 * only, what is older than what was ever fetched, so that search finds it.
 *
 * A conversation that missed more than can be filled at once gets the newest page, and the gap is filled behind it. What fails for lack of a
 * network waits for `start` (the socket is back); what fails otherwise is tried again after a pause. Says `change` when it begins and ends to be busy.
 */

/** @import { Archive } from './archive.js' */
/** @import { Conversation } from './conversation.js' */
/** @import { ChatStorage } from './storage.js' */

import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { PAGE } from './archive.js';
import { countOf, newestGap } from './ranges.js';

/** The first page of a conversation: a few screens. */
const FIRST_PAGE = 100;
/** Missed entries that are fetched one page after another; beyond it only the newest are. */
export const MAX_CATCH_UP = 1_000;
/** Of an encrypted room, where it is noticed when something is missing: 100 pages. */
const MAX_SEALED_CATCH_UP = 20_000;
/** Requests at once: more would press the server's limit for one user. */
const MAX_PARALLEL = 3;
/** Between pages of old history: nobody waits for them. */
const BACKFILL_PAUSE_MS = 300;
/** Entries of one room that are fetched unasked, and of all rooms: what search over the local copy is built for. */
const MAX_BACKFILL_ROOM = 100_000;
const MAX_BACKFILL = 200_000;

/**
 * @typedef {object} SyncSurroundings
 * @property {<T>(name: string, act: () => Promise<T>) => Promise<T>} exclusively
 * @property {(ms: number) => Promise<void>} pause
 * @property {() => number} random
 */

export class Sync extends EventTarget {
  #archive;
  #storage;
  #conversations;
  #surroundings;
  #lock;
  /** @type {Set<string>} */
  #wanted = new Set();
  /** @type {Set<string>} */
  #running = new Set();
  #online = false;
  #stopped = false;
  #backfilling = false;
  #wasBusy = false;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Archive} archive
   * @param {ChatStorage} storage
   * @param {() => readonly Conversation[]} conversations newest first
   * @param {SyncSurroundings} surroundings
   * @param {string} user
   */
  constructor(archive, storage, conversations, surroundings, user) {
    super();
    this.#archive = archive;
    this.#storage = storage;
    this.#conversations = conversations;
    this.#surroundings = surroundings;
    this.#lock = `webcall-backfill-${user}`;
  }

  get busy() {
    return this.#wanted.size + this.#running.size > 0;
  }

  /** The server can be asked. */
  start() {
    this.#online = true;
    this.#attempt = 0;
    this.check();
  }

  /** The network is gone: nothing is asked until `start`. */
  pause() {
    this.#online = false;
    clearTimeout(this.#timer);
  }

  stop() {
    this.#stopped = true;
    this.pause();
    this.#wanted.clear();
  }

  /** Look which conversations miss something. */
  check() {
    for (const conversation of this.#conversations()) {
      const { high, lastSeq, toldLastSeq, loaded } = conversation.stretch;
      if (high < lastSeq || high > toldLastSeq || !loaded) this.#wanted.add(conversation.id);
    }
    this.#pump();
  }

  #pump() {
    if (!this.#online || this.#stopped) return;
    for (const id of this.#wanted) {
      if (this.#running.size >= MAX_PARALLEL) break;
      if (this.#running.has(id)) continue;
      this.#wanted.delete(id);
      this.#running.add(id);
      void this.#run(id);
    }
    if (this.busy !== this.#wasBusy) {
      this.#wasBusy = this.busy;
      this.dispatchEvent(new Event('change'));
    }
    if (!this.busy) void this.#backfill();
  }

  /** @param {string} id */
  async #run(id) {
    try {
      const conversation = this.#conversations().find((each) => each.id === id);
      if (conversation) await this.#catchUp(conversation);
      this.#attempt = 0;
    } catch (error) {
      this.#failed(id, /** @type {{ status?: number, retryAfterS?: number | null }} */ (error));
    }
    this.#running.delete(id);
    this.#pump();
  }

  /** @param {Conversation} conversation */
  async #catchUp(conversation) {
    const { id, stretch } = conversation;
    await this.#dropOld(id, stretch.firstSeq);
    if (stretch.high > stretch.toldLastSeq) {
      // Either this list is older than what came over the socket, or the server was restored from a backup.
      const known = stretch.high;
      if ((await this.#archive.lastSeqOf(id)) >= known) return;
      await this.#archive.forget(id);
      stretch.forget();
    }
    if (stretch.high === 0 || stretch.lastSeq - stretch.high > (conversation.encrypted ? MAX_SEALED_CATCH_UP : MAX_CATCH_UP)) {
      const { records, lastSeq: now } = await this.#archive.fetch(id, {}, FIRST_PAGE);
      if (records.length === 0) stretch.nothingUpTo(now);
      else conversation.take(records, 'replace');
    }
    for (let more = true; more && stretch.high < stretch.lastSeq; ) {
      const after = stretch.high;
      const { records, lastSeq: now } = await this.#archive.fetch(id, { after });
      conversation.take(records, 'wait');
      more = stretch.high > after && stretch.high < now;
    }
  }

  /** @param {string} id @param {number} firstSeq */
  async #dropOld(id, firstSeq) {
    const [held] = await this.#storage.ranges(id).catch(() => []);
    if (held && held[0] < firstSeq) await this.#storage.dropBelow(id, firstSeq).catch(() => {});
  }

  /** @param {string} id @param {{ status?: number, retryAfterS?: number | null }} error */
  #failed(id, { status = -1, retryAfterS = null }) {
    // It is gone, or no longer ours: the list of rooms will say so.
    if (status === 403 || status === 404) return;
    this.#later(retryAfterS, () => {
      this.#wanted.add(id);
      this.#pump();
    });
  }

  /** @param {number | null} retryAfterS @param {() => void} act */
  #later(retryAfterS, act) {
    if (!this.#online || this.#stopped) return;
    const waitMs = Math.max((retryAfterS ?? 0) * 1000, backoffMs(OUTBOX_BACKOFF, this.#attempt++, this.#surroundings.random()));
    clearTimeout(this.#timer);
    // One timer for all: it looks at every conversation again.
    this.#timer = setTimeout(() => {
      act();
      this.check();
    }, waitMs);
  }

  async #backfill() {
    if (this.#backfilling) return;
    this.#backfilling = true;
    try {
      await this.#surroundings.exclusively(this.#lock, () => this.#backfillAll());
    } catch {
      // Another time: nobody waits for it.
    }
    this.#backfilling = false;
  }

  async #backfillAll() {
    const ids = this.#conversations().map(({ id }) => id);
    let total = 0;
    for (const id of ids) total += countOf(await this.#storage.ranges(id));
    for (const id of ids) {
      for (let before = Infinity; ; ) {
        const conversation = this.#conversations().find((each) => each.id === id);
        const ranges = await this.#storage.ranges(id);
        const gap = conversation && newestGap(ranges, conversation.stretch.firstSeq);
        // A gap that did not shrink could not be kept: asking again would not help.
        if (!gap || gap[1] >= before || countOf(ranges) >= MAX_BACKFILL_ROOM || total >= MAX_BACKFILL) break;
        await this.#surroundings.pause(BACKFILL_PAUSE_MS);
        if (!this.#online || this.#stopped || this.busy) return;
        const { records } = await this.#archive.fetch(id, { before: gap[1] + 1 }, PAGE);
        if (records.length === 0) break;
        total += records.length;
        before = gap[1];
      }
    }
  }
}
