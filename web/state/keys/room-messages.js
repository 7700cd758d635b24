/**
 * Messages of encrypted rooms, sealed and opened by the worker of the keys. Sealing brings the room's group up to date first, so that nobody who
 * no longer counts can read; opening follows the group, or learns of people, where a message is of an epoch or of a device not known here yet.
 *
 * What is sealed waits in the worker until the page says that the server took it (`sent`) or never will (`unsent`): the same bytes are given
 * again, unless they have waited for so many epochs that nobody would take them.
 */

/** @import { Base64, Look, OpenedMessage, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */

import { fromBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { isRefusal } from './passing.js';

/** What messages of this client are. */
export const KIND_BODY = 1;
/** The group is in the way: others may change it meanwhile, so once more than it takes. */
const MAX_SEALS = 3;
/** What waited longer is sealed again: a message that comes 32 epochs after it was sealed is not taken any more (`past_epoch`). */
const MAX_EPOCHS_WAITING = 16;
/** Devices that were asked for and are not known; of more all are asked for again. */
const MAX_STRANGERS = 1_000;
/** Times that somebody's keys are asked for because of unknown devices; more would let one member's invented ones cost everybody much. */
export const MAX_LEARNS = 8;
/** Who wrote it may be known another time, and another version of this client may read it. */
const LATER = new Set(['unknown_sender', 'not_vouched', 'not_open', 'unknown_version', 'unknown_suite']);
/** Where the header of an envelope has the epoch and the device (`web/crypto/src/chat/envelope.rs`). */
const EPOCH_AT = 18;
const DEVICE_AT = 30;
const DEVICE_BYTES = 16;

/**
 * `before`: of an epoch that this device was not in; `later`: it may open another time; `refused`: it is not what it says to be.
 * @typedef {{ type: 'closed', why: 'before' | 'later' | 'refused', code: string }} Closed
 *
 * @typedef {object} Groups
 * @property {(room: Uuid) => Promise<Look | null>} current the room's group, brought up to date
 * @property {(room: Uuid) => Promise<Look | null>} toSend the same; rejects while a member shows other keys than those that were accepted, or the log
 * of keys is contradicted
 * @property {(room: Uuid) => Look | null} lookOf as it was found last
 * @property {(room: Uuid) => Promise<Look | null>} renew begins an epoch
 * @property {(user: Uuid) => Promise<void>} learn fetches anew what a user published
 * @property {(room: Uuid, epoch: number) => Promise<boolean>} recall looks for the key of an earlier epoch in the archive; whether there are more than before
 * @property {(message: OpenedMessage) => void} heard what a message says of the log of keys is to be compared
 */

export class RoomMessages {
  #keys;
  #now;
  #groups;
  /** Users and devices that were asked for in vain. @type {Set<string>} */
  #strangers = new Set();
  /** By user: how often they were asked for. @type {Map<Uuid, number>} */
  #learns = new Map();
  /** By room: the epoch that the group was found in when it was last followed for a message ahead of it. @type {Map<Uuid, number>} */
  #asked = new Map();

  /**
   * @param {Keys} keys
   * @param {() => number} now
   * @param {Groups} groups
   */
  constructor(keys, now, groups) {
    this.#keys = keys;
    this.#now = now;
    this.#groups = groups;
  }

  /** Somebody published something: who was not known may be. */
  learnAgain() {
    this.#strangers.clear();
    this.#learns.clear();
    this.#asked.clear();
  }

  /**
   * @param {Uuid} room
   * @param {Uuid} id
   * @param {{ content: Base64, seen: Base64 | null }} message
   * @returns {Promise<Base64>} the envelope; rejects with KeysRefused, `not_open` while this device is not in the room's group
   */
  async seal(room, id, { content, seen }) {
    const look = await this.#groups.toSend(room);
    if (look === null) throw new KeysRefused('not_open');
    const waiting = (await this.waiting(room)).find((each) => each.id === id);
    if (waiting && look.epoch - waiting.epoch <= MAX_EPOCHS_WAITING) return waiting.envelope;
    const request = { op: /** @type {const} */ ('seal_message'), room, id, kind: KIND_BODY, content, seen, head: null };
    for (let tries = 1; ; tries += 1) {
      try {
        return (await this.#keys.ask({ ...request, now_ms: this.#now() }, 'sealed')).envelope;
      } catch (error) {
        if (tries === MAX_SEALS || !(await this.#makeWay(room, error))) throw error;
      }
    }
  }

  /** @param {Uuid} room @param {unknown} error @returns {Promise<boolean>} whether something was done about it */
  async #makeWay(room, error) {
    if (!(error instanceof KeysRefused)) return false;
    if (error.code === 'stale_members') await this.#groups.toSend(room);
    else if (error.code === 'epoch_exhausted') await this.#groups.renew(room);
    else return false;
    return true;
  }

  /** What was sealed and not settled. @param {Uuid} room */
  async waiting(room) {
    return (await this.#keys.ask({ op: 'waiting', room }, 'waiting')).messages;
  }

  /** The server has it, or never will. @param {Uuid} room @param {Uuid} id @param {'sent' | 'unsent'} outcome */
  async settle(room, id, outcome) {
    try {
      await this.#keys.ask({ op: outcome, room, id }, 'done');
    } catch (error) {
      // Settled already, as by another window.
      if (!(error instanceof KeysRefused) || error.code !== 'nothing_pending') throw error;
    }
  }

  /**
   * @param {Uuid} room
   * @param {Base64} envelope
   * @param {'open_message' | 'open_waited' | 'read_message'} op the next of the room's log, one that waited since it was, or one further back
   * @param {Uuid} sender as the server says: whoever it was may have left the room
   * @returns {Promise<OpenedMessage | Closed>} rejects with KeysRefused where the worker could not be asked
   */
  async open(room, envelope, op, sender) {
    const ask = async () => {
      const opened = await this.#keys.ask({ op, room, envelope }, 'opened');
      // Of what lies further back the sender's later messages speak, too.
      if (op !== 'read_message') this.#groups.heard(opened);
      return opened;
    };
    try {
      return await ask();
    } catch (error) {
      if (!isAboutIt(error)) throw error;
      return this.#openOtherwise(room, envelope, sender, error.code, ask);
    }
  }

  /** @param {Uuid} room @param {Base64} envelope @param {Uuid} sender @param {string} code @param {() => Promise<OpenedMessage>} ask @returns {Promise<OpenedMessage | Closed>} */
  async #openOtherwise(room, envelope, sender, code, ask) {
    // Each may lead to the next: an old message of somebody who is not known yet.
    const ways = [
      (/** @type {string} */ why) => why === 'unknown_epoch' && this.#mayFollow(room, envelope) && this.#follow(room),
      // Where the room's group was made anew, the number of an epoch has another key in each of its groups.
      (/** @type {string} */ why) => ['unknown_epoch', 'wrong_key'].includes(why) && this.#recall(room, envelope),
      (/** @type {string} */ why) => ['unknown_sender', 'not_vouched'].includes(why) && this.#mayLearn(sender, envelope) && this.#learn(sender, envelope),
    ];
    let why = code;
    for (const way of ways) {
      if (!(await way(why))) continue;
      try {
        return await ask();
      } catch (error) {
        if (!isAboutIt(error)) throw error;
        why = error.code;
      }
    }
    return this.#closed(room, envelope, why);
  }

  /** @param {Uuid} room @param {Base64} envelope @param {string} code @returns {Closed} */
  #closed(room, envelope, code) {
    if (code === 'unknown_epoch') return { type: 'closed', why: this.#isAhead(room, envelope) ? 'later' : 'before', code };
    // Of another branch of the room's group, perhaps, which this device is not in yet.
    const isElsewhere = code === 'wrong_key' && this.#groups.lookOf(room) === null;
    return { type: 'closed', why: LATER.has(code) || isElsewhere ? 'later' : 'refused', code };
  }

  /** Of an epoch that this device may still come into. @param {Uuid} room @param {Base64} envelope */
  #isAhead(room, envelope) {
    const look = this.#groups.lookOf(room);
    return look === null || epochOf(envelope) > BigInt(look.epoch);
  }

  /** Once in each epoch: whoever is in the room can write of an epoch that never comes. @param {Uuid} room @param {Base64} envelope */
  #mayFollow(room, envelope) {
    const look = this.#groups.lookOf(room);
    return look === null || (this.#asked.get(room) !== look.epoch && this.#isAhead(room, envelope));
  }

  /** @param {Uuid} room */
  async #follow(room) {
    const look = await this.#groups.current(room);
    if (look !== null) this.#asked.set(room, look.epoch);
    return true;
  }

  /** Of an epoch that is over, as far as is known. @param {Uuid} room @param {Base64} envelope */
  async #recall(room, envelope) {
    const [look, epoch] = [this.#groups.lookOf(room), epochOf(envelope)];
    return (look === null || epoch <= BigInt(look.epoch)) && this.#groups.recall(room, Number(epoch));
  }

  /** What could not be asked for the moment is asked again. @param {Uuid} user @param {Base64} envelope */
  async #learn(user, envelope) {
    await this.#groups.learn(user);
    for (const full of [this.#learns, this.#strangers]) if (full.size >= MAX_STRANGERS) full.clear();
    this.#learns.set(user, (this.#learns.get(user) ?? 0) + 1);
    this.#strangers.add(strangerOf(user, envelope));
    return true;
  }

  /** @param {Uuid} user @param {Base64} envelope */
  #mayLearn(user, envelope) {
    return (this.#learns.get(user) ?? 0) < MAX_LEARNS && !this.#strangers.has(strangerOf(user, envelope));
  }
}

/** @param {Uuid} user @param {Base64} envelope */
function strangerOf(user, envelope) {
  return `${user}/${atob(envelope).slice(DEVICE_AT, DEVICE_AT + DEVICE_BYTES)}`;
}

/** Without a device nothing is said about the message either. @param {unknown} error @returns {error is KeysRefused} */
function isAboutIt(error) {
  return isRefusal(error) && error.code !== 'no_device';
}

/** @param {Base64} envelope that the worker could read the header of */
function epochOf(envelope) {
  return new DataView(fromBase64(envelope).buffer).getBigUint64(EPOCH_AT);
}
