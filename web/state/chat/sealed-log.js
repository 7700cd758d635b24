/**
 * The log of an encrypted room, opened: each entry once, in the log's order, by one window at a time, so that what the server leaves out,
 * repeats or swaps is noticed. How far this device has judged is what the local copy holds; entries further back are read and not judged.
 *
 * Nothing is shown that no member's device sealed: what is not sealed, does not open, or is given another sender or id than the seal says,
 * becomes a notice in its place, as nobody's. What may open later is kept as it came, and tried again when the keys change. Who wrote what is
 * opened here is who signed it.
 */

/** @import { Base64, OpenedMessage } from '../../e2ee/keys/interface.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { KeysStatus } from '../keys/store.js' */
/** @import { Closed, RoomMessages } from '../keys/room-messages.js' */
/** @import { LogRecord, Notice, Way } from './records.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { fromBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { fromServer } from '../keys/bytes.js';
import { KIND_BODY } from '../keys/room-messages.js';
import { topOf } from './ranges.js';
import { checked, checkedRow, emptied, isOpenedMessage, noticeId, recordOf, wasOpened } from './records.js';

/** Of one room: entries that may open later and are tried again unasked. Of more the oldest are put off, to be read from the local copy. */
export const MAX_LATER = 500;
/** The first byte of an envelope is its version, far below that of any text. */
const FIRST_OF_TEXT = 0x09;
/** What the keys say of a message that came in time and cannot be opened yet: its epoch may be over by then. */
const IN_TIME = new Set(['unknown_sender', 'unknown_epoch']);

/** The keys as the chat uses them. @typedef {EventTarget & { status: KeysStatus, account: { messages: RoomMessages, sync: (room: string) => Promise<unknown>, hasArchive: boolean } | null }} ChatKeys */
/** @typedef {(records: LogRecord[]) => Promise<LogRecord[]>} Keep into the local copy: records that follow one another */
/** @typedef {<T>(name: string, act: () => Promise<T>) => Promise<T>} Exclusively */

export class SealedLog {
  #keys;
  #storage;
  #exclusively;
  /** By room and number: what may open later. @type {Map<string, Map<number, { entry: Entry, way: Way }>>} */
  #later = new Map();
  /** By room, up to where the local copy had nothing when it came. @type {Map<string, number>} */
  #new = new Map();
  /** Rooms of which some were put off since the page is open. @type {Set<string>} */
  #putOff = new Set();
  /** How often what was not shown, by why. @type {Map<string, number>} */
  #refused = new Map();

  /**
   * @param {ChatKeys} keys
   * @param {ChatStorage} storage
   * @param {Exclusively} exclusively
   */
  constructor(keys, storage, exclusively) {
    this.#keys = keys;
    this.#storage = storage;
    this.#exclusively = exclusively;
  }

  /** What was not shown as a message, by why: a verdict, a code of the worker, `plain`, `other_entry`. @returns {ReadonlyMap<string, number>} */
  get refused() {
    return this.#refused;
  }

  /**
   * Entries that follow one another; rejects with `bad_answer` when they do not: what lies in a gap would never be judged. Rejects with
   * `keys_waiting` while the keys are being made ready.
   * @param {string} room
   * @param {readonly Entry[]} entries
   * @param {Keep} keep before another window has its turn: a verdict is given once
   * @returns {Promise<LogRecord[]>} less than the entries when the keys could not be asked of more; those that are missing are to be taken again
   */
  take(room, entries, keep) {
    return this.#alone(room, async () => {
      checkedRow(entries);
      const held = await this.#held(room, entries);
      const judged = topOf(await this.#storage.ranges(room).catch(() => []));
      const wasHeld = await this.#wasHeld(room);
      if (wasHeld) this.#new.delete(room);
      else if (judged === 0) this.#new.set(room, entries.at(-1)?.seq ?? 0);
      const taken = entries.map((entry) => ({ entry, way: this.#wayOf(room, entry, judged) }));
      const opened = await this.#records(room, taken, async ({ seq }) => held.get(seq));
      const records = wasHeld ? begun(opened) : opened;
      this.remember(room, records);
      return keep(records);
    });
  }

  /** One entry by itself, wherever it stands in the log. @param {string} room @param {Entry} entry */
  look(room, entry) {
    return this.#alone(room, async () => this.#record(room, entry, 'read_message', await this.#heldOf(room, entry), []));
  }

  /** What is kept and may open later is tried again when there is reason to. @param {string} room @param {readonly LogRecord[]} records */
  remember(room, records) {
    const later = this.#later.get(room) ?? new Map();
    for (const { seq, later: again } of records) {
      later.delete(seq);
      if (again !== undefined) later.set(seq, again);
      // The oldest goes: what never opens does not keep out what comes now.
      if (later.size <= MAX_LATER) continue;
      later.delete(Math.min(...later.keys()));
      this.#putOff.add(room);
    }
    if (later.size > 0) this.#later.set(room, later);
    else this.#later.delete(room);
  }

  /**
   * The same of older ones, that were loaded: unless all that came after them still waits, some of it may be judged by now, and they are read and not judged.
   * @param {string} room
   * @param {readonly LogRecord[]} records
   * @returns {boolean} whether there is room for any of them
   */
  rememberOlder(room, records) {
    const waiting = this.#later.get(room) ?? new Map();
    let lowest = Math.min(...waiting.keys());
    /** @type {LogRecord[]} */
    const fresh = [];
    for (const record of [...records].reverse()) {
      if (record.later === undefined || waiting.has(record.seq)) continue;
      const isInOrder = record.seq === lowest - 1;
      if (isInOrder) lowest = record.seq;
      fresh.push(isInOrder ? record : { ...record, later: { ...record.later, way: 'read_message' } });
    }
    this.remember(room, fresh);
    return fresh.some(({ seq }) => this.#later.get(room)?.has(seq));
  }

  /** Rooms in which something may open later. */
  get unopened() {
    return [...this.#later.keys()];
  }

  /** Rooms of which something was put off since the page is open; asked once, for it is told no second time. */
  takePutOff() {
    const rooms = [...this.#putOff];
    this.#putOff.clear();
    return rooms;
  }

  /** Tries again, in the log's order. @param {string} room @param {Keep} keep one by one @returns {Promise<LogRecord[]>} what is something else now */
  again(room, keep) {
    return this.#alone(room, async () => {
      const waiting = [...(this.#later.get(room) ?? [])].sort(([one], [other]) => one - other).map(([, each]) => each);
      const opened = await this.#records(room, waiting, (entry) => this.#heldOf(room, entry));
      const records = (await this.#wasHeld(room)) ? begun(opened) : opened;
      this.remember(room, records);
      return keepOpened(records, keep);
    });
  }

  /** @param {string} room @param {LogRecord} record of the local copy @returns {boolean} */
  isPutOff(room, { seq, later }) {
    return later !== undefined && !this.#later.get(room)?.has(seq);
  }

  /** Of so many what stands before them is known no more: they are read, and not judged. @param {string} room @param {readonly LogRecord[]} records put off @param {Keep} keep */
  reopen(room, records, keep) {
    return this.#alone(room, async () => {
      const waiting = records.flatMap(({ later }) => (later === undefined ? [] : [{ entry: later.entry, way: /** @type {Way} */ ('read_message') }]));
      return keepOpened(await this.#records(room, waiting, (entry) => this.#heldOf(room, entry)), keep);
    });
  }

  /** The log is another one now: nothing of it is to be tried again. @param {string} room @param {() => Promise<void>} drop from the local copy */
  forget(room, drop) {
    return this.#alone(room, async () => {
      this.#later.delete(room);
      this.#putOff.delete(room);
      await drop();
    });
  }

  /** @param {string} room */
  #wasHeld(room) {
    return this.#storage.wasHeld(room).catch(() => false);
  }

  /** @template T @param {string} room @param {() => Promise<T>} act */
  #alone(room, act) {
    return this.#exclusively(`webcall-log-${room}`, act);
  }

  /** @param {string} room @param {Entry} entry @param {number} judged up to here @returns {Way} */
  #wayOf(room, { seq }, judged) {
    if (seq <= judged) return 'read_message';
    return seq <= (this.#new.get(room) ?? 0) ? 'open_new' : 'open_message';
  }

  /** What the local copy has of these. @param {string} room @param {readonly Entry[]} entries @returns {Promise<Map<number, LogRecord>>} */
  async #held(room, entries) {
    const [first, last] = [entries[0]?.seq ?? 1, entries.at(-1)?.seq ?? 0];
    const records = await this.#storage.entries(room, first, last).catch(() => []);
    return new Map(records.map((record) => [record.seq, record]));
  }

  /** @param {string} room @param {Entry} entry */
  async #heldOf(room, entry) {
    return (await this.#held(room, [entry])).get(entry.seq);
  }

  /**
   * One after the other. Should the keys fail midway, what they judged is given all the same: they would call it repeated the second time.
   * @param {string} room
   * @param {readonly { entry: Entry, way: Way }[]} entries
   * @param {(entry: Entry) => Promise<LogRecord | undefined>} heldOf in the local copy
   * @returns {Promise<LogRecord[]>}
   */
  async #records(room, entries, heldOf) {
    /** @type {LogRecord[]} */
    const records = [];
    try {
      for (const { entry, way } of entries) records.push(await this.#record(room, entry, way, await heldOf(entry), records));
    } catch (error) {
      if (entries.slice(0, records.length).every(({ way }) => way === 'read_message')) throw error;
    }
    return records;
  }

  /**
   * @param {string} room
   * @param {Entry} entry
   * @param {Way} way
   * @param {LogRecord | undefined} held of the same number, in the local copy
   * @param {readonly LogRecord[]} others not in the local copy yet
   * @returns {Promise<LogRecord>}
   */
  async #record(room, entry, way, held, others) {
    checked(entry);
    if (held !== undefined && wasOpened(held)) return this.#heldStill(entry, held);
    if (entry.kind !== 'message' || entry.body === null) return recordOf(room, entry, null);
    // What was deleted stays so.
    if (held?.kind === 'message' && held.id === entry.id && held.notice === undefined) return held;
    // What was found out when it came, a later look does not: whether its key was over by then, or whether it was said before.
    if (held?.notice === 'refused' && held.keyless !== true) return held;
    if (!isSealed(entry.body)) return this.#notice(room, entry, 'plain', 'plain');
    const opened = await this.#open(room, entry, fromServer(entry.body), way);
    if (opened.type === 'opened') return this.#judge(room, entry, opened, others);
    if (opened.why === 'later') return { ...noticeOf(room, entry, 'later'), later: { entry, way: wayLater(way, opened.code) } };
    const isKeyless = opened.code === 'wrong_key' && (way === 'read_message' || way === 'open_new');
    return { ...this.#notice(room, entry, opened.why, opened.code), ...(isKeyless ? { keyless: true } : {}) };
  }

  /** What was opened is not opened again, and nothing takes its place: it can only be deleted. @param {Entry} entry @param {LogRecord} held */
  #heldStill({ id, kind, body }, held) {
    const isOther = id !== held.id || kind !== held.kind;
    if (isOther) this.#count('other_entry');
    return body === null && !isOther ? emptied(held) : held;
  }

  /** @param {string} room @param {Entry} entry @param {Base64} envelope @param {Way} way @returns {Promise<OpenedMessage | Closed>} */
  async #open(room, { sender }, envelope, way) {
    const { account, status } = this.#keys;
    if (account === null) {
      if (status === 'off' || status === 'starting') throw new ApiError('keys_waiting', 0);
      return { type: 'closed', why: 'later', code: status };
    }
    try {
      const { messages } = account;
      if (way !== 'open_new') return await messages.open(room, envelope, way, sender);
      const opened = await messages.open(room, envelope, 'open_message', sender);
      return isOld(opened) ? await messages.open(room, envelope, 'read_message', sender) : opened;
    } catch (error) {
      if (error instanceof KeysRefused) throw new ApiError('keys_waiting', 0);
      throw error;
    }
  }

  /** @param {string} room @param {Entry} entry @param {OpenedMessage} opened @param {readonly LogRecord[]} others @returns {Promise<LogRecord>} */
  async #judge(room, entry, { id, user, kind, hash, verdict, content }, others) {
    if (id !== entry.id || user !== entry.sender) return this.#notice(room, entry, 'refused', 'other_entry');
    if (content === null) return this.#drop(room, entry, verdict ?? 'refused');
    // One message has one place: the first in which it was seen here. Where only the verdict is old, as after a crash or in a new local copy, it is shown.
    const there = [...others.filter((record) => record.id === id), ...(await this.#storage.findAll(room, id).catch(() => []))];
    if (there.some((record) => wasOpened(record) && record.seq !== entry.seq)) return this.#drop(room, entry, 'repeated');
    const record = { ...recordOf(room, entry, kind === KIND_BODY ? textOf(content) : ''), hash };
    return verdict === 'gap' || verdict === 'fork' ? { ...record, mark: verdict } : record;
  }

  /** Its number is held, and nothing is shown. @param {string} room @param {Entry} entry @param {string} why @returns {LogRecord} */
  #drop(room, entry, why) {
    this.#count(why);
    return { ...noticeOf(room, entry, 'refused'), kind: 'dropped', content: null };
  }

  /** @param {string} room @param {Entry} entry @param {Notice} notice @param {string} why */
  #notice(room, entry, notice, why) {
    if (notice !== 'before') this.#count(why);
    return noticeOf(room, entry, notice);
  }

  /** @param {string} why */
  #count(why) {
    this.#refused.set(why, (this.#refused.get(why) ?? 0) + 1);
  }
}

/** Those that are something else now, one by one. @param {readonly LogRecord[]} records @param {Keep} keep @returns {Promise<LogRecord[]>} */
async function keepOpened(records, keep) {
  /** @type {LogRecord[]} */
  const kept = [];
  for (const record of records) if (record.later === undefined) kept.push(...(await keep([record])));
  return kept;
}

/** After the local copy went on the server's word: nobody knows any more what stood before the first of these. @param {LogRecord[]} records @returns {LogRecord[]} */
function begun(records) {
  const first = records.find(isOpenedMessage);
  return records.map((record) => (record === first ? { ...record, mark: record.mark ?? 'fork' } : record));
}

/** @param {Way} way @param {string} code why not now @returns {Way} */
function wayLater(way, code) {
  if (way !== 'open_message') return way;
  return IN_TIME.has(code) ? 'open_waited' : way;
}

/** By what the keys remember of the room. @param {OpenedMessage | Closed} opened */
function isOld(opened) {
  return opened.type === 'opened' ? opened.verdict === 'stale' : opened.code === 'past_epoch';
}

/** In its place, and nobody's: what the server says of it is not to be believed, its id neither. @param {string} room @param {Entry} entry @param {Notice} notice @returns {LogRecord} */
function noticeOf(room, { seq, sent_at: at }, notice) {
  return { room, seq, id: noticeId(seq), kind: 'message', sender: '', at, content: '', about: null, notice };
}

/** @param {string} body */
function isSealed(body) {
  try {
    return atob(fromServer(body)).charCodeAt(0) < FIRST_OF_TEXT;
  } catch {
    return false;
  }
}

/** @param {Base64} content @returns {string} empty when it is no text */
function textOf(content) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromBase64(content));
  } catch {
    return '';
  }
}
