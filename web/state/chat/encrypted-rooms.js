/**
 * The encrypted rooms of an account: their log and what is sent into them, and the groups kept up to date, so that whoever is here brings in who
 * came. Follows the keys: what could not be opened is tried again when they have changed, and the account is told.
 */

/** @import { LogRecord } from './records.js' */
/** @import { ChatKeys, Exclusively } from './sealed-log.js' */
/** @import { ChatStorage } from './storage.js' */

import { SealedLog } from './sealed-log.js';
import { SealedSender } from './sealed-sender.js';

/**
 * @typedef {object} Around
 * @property {() => readonly string[]} rooms that are encrypted
 * @property {(room: string, records: LogRecord[]) => Promise<LogRecord[]>} keep into the local copy
 * @property {(room: string, records: LogRecord[]) => void} opened what could not be opened before
 * @property {(room: string) => Promise<void>} readAgain tries what could not be opened for want of a key
 * @property {() => void} keysChanged
 * @property {() => number} now
 */

/** Another device may have written into the archive meanwhile. More often would cost more pages where nothing opens; it is a little longer than the archive is content with what it has (`recall`). */
const LOOK_AGAIN_MS = 330_000;

export class EncryptedRooms {
  #keys;
  #around;
  #log;
  #sender;
  /** Rooms whose group was brought up to date since the keys are there. @type {Set<string>} */
  #tended = new Set();
  #tending = false;
  /** Rooms in which what could not be opened may open now. @type {Set<string>} */
  #unread = new Set();
  #reading = false;
  /** The room that somebody looks at. @type {string | null} */
  #watched = null;
  /** By room: when it was looked at with the archive at hand. @type {Map<string, number>} */
  #looked = new Map();
  /** By room: the last thing that is done there, one after the other. @type {Map<string, Promise<void>>} */
  #turns = new Map();
  #ending = new AbortController();

  /**
   * @param {ChatKeys} keys
   * @param {ChatStorage} storage
   * @param {Exclusively} exclusively
   * @param {Around} around
   */
  constructor(keys, storage, exclusively, around) {
    this.#keys = keys;
    this.#around = around;
    this.#log = new SealedLog(keys, storage, exclusively);
    this.#sender = new SealedSender(keys, storage);
    const { signal } = this.#ending;
    keys.addEventListener('change', () => this.#came(), { signal });
    // Whoever is trusted again no longer keeps what is written in their rooms from being sent.
    keys.addEventListener('person', () => this.#around.keysChanged(), { signal });
    keys.addEventListener('archive', () => this.#look(), { signal });
    keys.addEventListener('history', (event) => this.#readAgain(/** @type {CustomEvent} */ (event).detail.room), { signal });
    keys.addEventListener('log', () => this.#around.keysChanged(), { signal });
    keys.addEventListener('room', (event) => this.#changed([/** @type {CustomEvent} */ (event).detail.room]), { signal });
    // Whoever stays in a conversation for hours looks again with its epochs.
    keys.addEventListener('room', () => this.#look(), { signal });
  }

  get log() {
    return this.#log;
  }

  get sender() {
    return this.#sender;
  }

  /** One thing after the other in a room. @param {string} room @param {() => Promise<void>} act */
  inTurn(room, act) {
    const turn = (this.#turns.get(room) ?? Promise.resolve()).then(act, act);
    this.#turns.set(room, turn);
    const done = () => void (this.#turns.get(room) === turn && this.#turns.delete(room));
    turn.then(done, done);
    return turn;
  }

  /** Brings the groups of rooms up to date that were not since the keys are there, one after the other. */
  tend() {
    if (!this.#tending) void this.#tendAll();
    this.#readOn();
  }

  /** What a reload kept from being tried with the archive is, once somebody looks. @param {string | null} room that somebody looks at */
  watch(room) {
    this.#watched = room;
    this.#look();
  }

  /** The newest came from the local copy. @param {string} room @param {readonly LogRecord[]} records */
  restored(room, records) {
    this.#log.remember(room, records);
    if (this.#keys.account !== null) this.#openInTurn(room);
  }

  /** Older ones came from the local copy. @param {string} room @param {readonly LogRecord[]} records */
  loaded(room, records) {
    if (this.#log.rememberOlder(room, records) && this.#keys.account !== null) void this.inTurn(room, () => this.#openLoaded(room)).catch(() => {});
  }

  close() {
    this.#ending.abort();
  }

  async #tendAll() {
    this.#tending = true;
    for (let room = this.#untended(); room !== undefined; room = this.#untended()) {
      this.#tended.add(room);
      // What fails is tried again when something is sent, or when the group changes.
      await this.#keys.account?.sync(room).catch(() => {});
    }
    this.#tending = false;
  }

  #look() {
    const room = this.#watched;
    if (room === null || this.#keys.account?.hasArchive !== true) return;
    const now = this.#around.now();
    if (now - (this.#looked.get(room) ?? -Infinity) < LOOK_AGAIN_MS) return;
    this.#looked.set(room, now);
    this.#readAgain(room);
  }

  /** @param {string} room */
  #readAgain(room) {
    this.#unread.add(room);
    this.#readOn();
  }

  #readOn() {
    if (!this.#reading && this.#unread.size > 0) void this.#readAll();
  }

  async #readAll() {
    this.#reading = true;
    /** @type {string[]} */
    const failed = [];
    for (const room of this.#unread) {
      if (this.#keys.account === null || this.#ending.signal.aborted) break;
      this.#unread.delete(room);
      // What is remembered is judged in its order before what lies behind it is read.
      await this.inTurn(room, async () => void (await this.#openAgain(room))).catch(() => {});
      await this.#around.readAgain(room).catch(() => void failed.push(room));
    }
    // Tried again when the rooms are looked at the next time.
    for (const room of failed) this.#unread.add(room);
    this.#reading = false;
  }

  #untended() {
    if (this.#keys.account === null || this.#ending.signal.aborted) return undefined;
    return this.#around.rooms().find((room) => !this.#tended.has(room));
  }

  /** The keys are there, or no longer. */
  #came() {
    if (this.#keys.account !== null) this.#takePutOff();
    this.#changed(this.#log.unopened);
  }

  #takePutOff() {
    for (const room of this.#log.takePutOff()) this.#unread.add(room);
  }

  /** @param {readonly string[]} rooms */
  #changed(rooms) {
    if (this.#keys.account === null) this.#tended.clear();
    this.tend();
    for (const room of rooms) this.#openInTurn(room);
    this.#around.keysChanged();
  }

  /** @param {string} room */
  #openInTurn(room) {
    void this.inTurn(room, async () => void (await this.#openAgain(room))).catch(() => {});
  }

  /** Where nothing opened, neither would what there was no room for. @param {string} room */
  async #openLoaded(room) {
    if (!(await this.#openAgain(room))) return;
    this.#takePutOff();
    this.#readOn();
  }

  /** @param {string} room @returns {Promise<boolean>} whether something opened */
  async #openAgain(room) {
    if (!this.#log.unopened.includes(room)) return false;
    const records = await this.#log.again(room, (some) => this.#around.keep(room, some));
    this.#around.opened(room, records);
    return records.length > 0;
  }
}
