/**
 * What was written here and is not on the server yet: kept before it is sent, sent in order for each room, once, by one window of the browser.
 *
 * The id is made here, so that sending again after a broken connection is the same message (the server answers with what it has). What
 * passes by itself (no network, a busy server, slow mode) is tried again; any other refusal makes the item `failed` with its code, and the
 * later ones go on. Files that wait with a message are sent before it (`uploads.js`), and hold up their own room only. Says `change` {room}.
 * Other windows are told over the channel and read the queue again.
 */

/** @import { Entry } from '../../protocol.js' */
/** @import { Api } from '../../net/api.js' */
/** @import { Sealer } from './seal.js' */
/** @import { ChatStorage } from './storage.js' */
/** @import { Send, Upload } from './uploads.js' */
/** @import { Pace } from './writing.js' */

import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { ApiError } from '../../net/api.js';
import { fileName, withFileIds } from './body.js';
import { FileError, MAX_KEPT_BYTES, Uploads, keptBytes } from './uploads.js';

/**
 * @typedef {object} OutboxItem
 * @property {number} order rises in the order of writing
 * @property {string} id of the message to be
 * @property {string} room
 * @property {string} content the body, not sealed yet
 * @property {string[]} files those that the server had before
 * @property {Upload[]} [uploads] those that are kept here and sent before the message
 * @property {number} at when it was written
 * @property {'waiting' | 'failed'} state
 * @property {string | null} code why it failed
 * @property {string | null} [failedFile] the name of the file that was refused
 * @property {number | null} [progress] how much of its files is sent, 0 to 1; not kept
 */

/**
 * @typedef {object} OutboxSurroundings
 * @property {<T>(name: string, act: () => Promise<T>) => Promise<T>} exclusively runs `act` while no other window runs its own
 * @property {{ postMessage: (message: any) => void } | null} channel the other windows of this account
 * @property {() => number} now
 * @property {() => number} random
 * @property {Send} upload
 * @property {(room: string, entry: Entry) => Promise<void>} arrived the server has it: show it in its place
 */

/** A person does not write more than this without a network; a program that does is told so. */
export const MAX_WAITING = 1_000;
/** Refusals that pass by themselves. `session_ended` and the like end the page's stay anyway: nothing may be lost by them. */
const PASSING_STATUS = new Set([0, 401, 408, 429, 500, 502, 503, 504, 507]);

/** @type {Pace} */
const NO_PACE = { wroteAt: -Infinity, refusedUntil: -Infinity };

export class Outbox extends EventTarget {
  #api;
  #storage;
  #sealerOf;
  #surroundings;
  #lock;
  /** @type {OutboxItem[]} */
  #items = [];
  /** The numbers of those that the server has, and that stand here until the log is here so far. @type {Map<string, { room: string, seq: number }>} */
  #sent = new Map();
  #uploads;
  /** Files that the server forgot are sent again, once for each message. @type {Set<string>} */
  #sentAgain = new Set();
  /** By room: what was tried last. While it waits it is the next again: it may be with the server already, and sealed so that the others follow it. @type {Map<string, string>} */
  #tried = new Map();
  /** Sends are on their way, or are waiting for the lock. */
  #busy = false;
  #again = false;
  /** Ends the wait for rooms that are being sent to, when there is something for another one. */
  #wake = () => {};
  /** Rises with every change made here, so that what was read meanwhile is known to be old. */
  #revision = 0;
  #attempt = 0;
  /** By room: when the server took something last, and when it said to come back. @type {Map<string, Pace>} */
  #paces = new Map();
  #stopped = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Api} api
   * @param {ChatStorage} storage
   * @param {(room: string) => Sealer} sealerOf
   * @param {OutboxSurroundings} surroundings
   * @param {string} user
   */
  constructor(api, storage, sealerOf, surroundings, user) {
    super();
    this.#api = api;
    this.#storage = storage;
    this.#sealerOf = sealerOf;
    this.#surroundings = surroundings;
    this.#lock = `webcall-outbox-${user}`;
    this.#uploads = new Uploads(storage, surroundings.upload, (room) => this.#say(room));
  }

  /** In the order of writing. @param {string} room */
  of(room) {
    return this.#items.filter((item) => item.room === room).map((item) => (item.uploads?.length ? { ...item, progress: this.#uploads.progressOf(item) } : item));
  }

  /** @param {string} room @returns {Pace} */
  paceOf(room) {
    return this.#paces.get(room) ?? NO_PACE;
  }

  /** Read the queue (again): another window changed it, or the page starts. */
  async refresh() {
    const before = new Set(this.#items.map(({ room }) => room));
    let items;
    let revision;
    do {
      revision = this.#revision;
      items = await this.#storage.outbox();
    } while (revision !== this.#revision);
    this.#items = items;
    this.#uploads.cancelAllBut(new Set(items.map(({ id }) => id)));
    for (const room of new Set([...before, ...this.#items.map((item) => item.room)])) this.#say(room);
  }

  /**
   * @param {{ id: string, room: string, content: string, files: string[] }} message
   * @param {readonly { local: string, remote: string | null, blob: Blob }[]} [kept] files that are still to be sent
   * @returns {Promise<void>} when it is kept
   */
  async add({ id, room, content, files }, kept = []) {
    const uploads = kept.map(({ local, remote, blob }) => ({ local, remote, size: blob.size, done: false }));
    if (this.#items.length >= MAX_WAITING) throw new ApiError('outbox_full', 0);
    if (keptBytes(this.#items) + uploads.reduce((sum, { size }) => sum + size, 0) > MAX_KEPT_BYTES) throw new ApiError('files_not_kept', 0);
    const item = await this.#storage.queue({ id, room, content, files, uploads, at: this.#surroundings.now(), state: 'waiting', code: null }, kept.map(({ local, blob }) => ({ id: local, blob }))).catch(() => {
      throw new ApiError('storage_failed', 0);
    });
    this.#revision += 1;
    // Reading the queue meanwhile may have brought it already.
    if (!this.#items.some((each) => each.id === id)) this.#items.push(item);
    this.#changed(room);
    this.flush();
  }

  /** @param {string} id */
  async retry(id) {
    const item = this.#items.find((each) => each.id === id);
    if (item) await this.#replace(id, { id: this.#sealerOf(item.room).idAgain(id), state: 'waiting', code: null, failedFile: null });
    this.#attempt = 0;
    this.flush();
  }

  /** @param {string} id */
  async discard(id) {
    const item = this.#items.find((each) => each.id === id);
    await this.#storage.unqueue(id);
    this.took(id);
    this.#uploads.cancel(id);
    // What was sent of it counts among this user's files for a day, otherwise.
    for (const { remote } of item?.uploads ?? []) if (remote !== null) this.#api.call('DELETE', `files/${remote}`).catch(() => {});
  }

  /** It is in the log now, by whatever way that was learned. @param {string} id */
  took(id) {
    const item = this.#items.find((each) => each.id === id);
    this.#sent.delete(id);
    if (!item) return;
    this.#revision += 1;
    this.#items = this.#items.filter((each) => each.id !== id);
    this.#changed(item.room);
  }

  /** The log is here up to this number: what was sent is in it, or the server made something else of it. @param {string} room @param {number} last */
  tookUpTo(room, last) {
    for (const [id, sent] of this.#sent) if (sent.room === room && sent.seq <= last) this.took(id);
  }

  /** The network is back: what waits for its time is tried at once. */
  nudge() {
    this.#attempt = 0;
    this.#uploads.nudge();
    this.flush();
  }

  /** Send what waits. Asking while it runs makes it run again. */
  flush() {
    clearTimeout(this.#timer);
    this.#again = true;
    this.#wake();
    if (!this.#busy && !this.#stopped && this.#items.some((item) => this.#isWaiting(item))) void this.#run();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#uploads.putOff();
    this.#wake();
  }

  async #run() {
    this.#busy = true;
    try {
      await this.#surroundings.exclusively(this.#lock, async () => {
        // While this window waited for its turn, another may have sent all.
        await this.refresh();
        await this.#sendAll();
      });
    } catch {
      // The storage refused (the browser had closed it, or a log-out in another window did): what it kept is sent another time.
      this.#again = false;
      this.#flushIn(this.#backoffMs());
    }
    this.#busy = false;
    // Asked for after the last look at the queue.
    if (this.#again) this.flush();
  }

  /** Each room by itself, so that a large file in one does not hold up the others; until nothing is left that could be sent now. */
  async #sendAll() {
    /** @type {Set<string>} */
    const sending = new Set();
    /** When a room is worth another try. @type {Map<string, number>} */
    const waits = new Map();
    for (;;) {
      if (this.#again) waits.clear();
      this.#again = false;
      const woken = new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      for (const room of new Set(this.#items.filter((item) => this.#isWaiting(item)).map((item) => item.room))) {
        if (sending.has(room) || waits.has(room) || this.#stopped) continue;
        sending.add(room);
        void this.#sendRoom(room)
          .then((wait) => wait !== null && waits.set(room, wait), () => waits.set(room, Infinity))
          .finally(() => {
            sending.delete(room);
            this.#wake();
          });
      }
      if (sending.size === 0 && !this.#again) break;
      await woken;
    }
    this.#flushIn(Math.min(...waits.values()));
  }

  /** @param {number} waitMs Infinity: only when asked to */
  #flushIn(waitMs) {
    if (waitMs < Infinity && !this.#stopped) this.#timer = setTimeout(() => this.flush(), waitMs);
  }

  #backoffMs() {
    return backoffMs(OUTBOX_BACKOFF, this.#attempt++, this.#surroundings.random());
  }

  /**
   * One after another, so that they arrive in the order of writing.
   * @param {string} room
   * @returns {Promise<number | null>} milliseconds until another try is worth it; null when all of the room is done
   */
  async #sendRoom(room) {
    for (;;) {
      const waiting = this.#items.filter((each) => each.room === room && this.#isWaiting(each));
      const item = waiting.find(({ id }) => id === this.#tried.get(room)) ?? waiting[0];
      if (!item || this.#stopped) return null;
      this.#tried.set(room, item.id);
      try {
        const entry = await this.#send(item);
        this.#attempt = 0;
        this.#sent.set(item.id, { room, seq: entry.seq });
        this.#paces.set(room, { wroteAt: this.#surroundings.now(), refusedUntil: -Infinity });
        await this.#storage.unqueue(item.id).catch(() => {});
        await this.#surroundings.arrived(room, entry);
      } catch (error) {
        const waitMs = await this.#failed(item, error);
        if (waitMs !== null) return waitMs;
      }
    }
  }

  /**
   * @param {OutboxItem} item
   * @param {unknown} error
   * @returns {Promise<number | null>} milliseconds until another try is worth it; null: go on with the next
   */
  async #failed({ id, room, content, uploads = [] }, error) {
    // Discarded meanwhile, or the page ends.
    if (this.#stopped || !this.#items.some((each) => each.id === id)) return null;
    const cause = error instanceof FileError ? error.cause : error;
    const { status = 0, code = 'internal', retryAfterS = null } = /** @type {Partial<ApiError>} */ (cause);
    if (code === 'slow_mode') this.#refused(room, retryAfterS ?? 0);
    if (code === 'file_not_found' && uploads.length > 0 && !this.#sentAgain.has(id)) {
      this.#sentAgain.add(id);
      await this.#replace(id, { uploads: uploads.map((each) => ({ ...each, remote: null, done: false })) });
      return null;
    }
    if (PASSING_STATUS.has(status) && code !== 'upload_failed') return Math.max((retryAfterS ?? 0) * 1000, this.#backoffMs());
    // Should that fail, it is settled before the next is sealed.
    await this.#sealerOf(room).unsent(room, id).catch(() => {});
    await this.#replace(id, { state: 'failed', code, failedFile: error instanceof FileError ? fileName(content, error.local) : null });
    return null;
  }

  /** @param {string} room @param {number} retryAfterS */
  #refused(room, retryAfterS) {
    this.#paces.set(room, { ...this.paceOf(room), refusedUntil: this.#surroundings.now() + retryAfterS * 1000 });
    this.#say(room);
  }

  /** @param {OutboxItem} item @returns {Promise<Entry>} */
  async #send(item) {
    const { id, room } = item;
    const uploads = item.uploads?.length ? await this.#uploads.send(item, (now) => this.#replace(id, { uploads: now })) : [];
    const ids = new Map(uploads.map(({ local, remote }) => [local, remote ?? local]));
    const sealer = this.#sealerOf(room);
    const body = await sealer.seal(room, id, withFileIds(item.content, ids));
    const files = [...item.files, ...ids.values()];
    /** @type {Entry} */
    const entry = await this.#api.call('POST', `rooms/${encodeURIComponent(room)}/messages`, { id, body, ...(files.length > 0 ? { files } : {}) });
    if (entry.id !== id) throw new ApiError('bad_answer', 0);
    await sealer.sent(room, id);
    return entry;
  }

  /**
   * @param {string} id
   * @param {Partial<Pick<OutboxItem, 'id' | 'state' | 'code' | 'uploads' | 'failedFile'>>} fields
   */
  async #replace(id, fields) {
    const item = this.#items.find((each) => each.id === id);
    if (!item) return;
    const replaced = { ...item, ...fields };
    this.#items = this.#items.map((each) => (each.id === id ? replaced : each));
    this.#revision += 1;
    await this.#storage.requeue(replaced);
    this.#revision += 1;
    this.#changed(item.room);
  }

  /** @param {OutboxItem} item */
  #isWaiting({ id, state }) {
    return state === 'waiting' && !this.#sent.has(id);
  }

  /** @param {string} room */
  #changed(room) {
    this.#surroundings.channel?.postMessage({ kind: 'outbox' });
    this.#say(room);
  }

  /** @param {string} room */
  #say(room) {
    this.dispatchEvent(new CustomEvent('change', { detail: { room } }));
  }
}
