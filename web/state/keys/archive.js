/**
 * The archive of epoch keys: what a device knows of a room's epochs, kept with the server under the user's master key, so that the user's other
 * devices read what was written before they came. One slot has one block of one room; of those that write at once all but one learn of it.
 *
 * Without the master key nothing is written and nothing asked for. What the server gives is believed as far as the worker does: what is older
 * than what was seen, or no archive of this user's, is kept apart and told (`troubleIn`), and nothing is written over it.
 */

/** @import { Base64, Block, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Parts } from './parts.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { ApiError } from '../../net/api.js';
import { isFinal } from './group.js';
import { roomOfSlot, slotOf } from './slots.js';

/** Epochs of one block (`web/crypto/src/archive`). */
const BLOCK = 1_024;
/** What happens within this time is one write. */
const GATHER_MS = 2_000;
/** A commit reaches all devices of all members at once: they come to the server one by one in this time. Longer, and more is lost of a browser that ends meanwhile. */
const SPREAD_MS = 20_000;
/** Another device may write the same block at the same time, this often in a row. */
const MAX_TRIES = 4;
/** Blocks of one room that are looked through for what the archive lacks, the newest: 65,536 epochs. */
const MAX_WRITTEN = 64;
/** Blocks that are asked for while the page is open: twice what the server keeps for a user. */
const MAX_ASKED = 4_096;
/** Another device may have written into a block since it was asked for. More often costs a request for each block of which something does not open. */
const RECALL_AGAIN_MS = 300_000;
/** Refusals of what the server gave. */
const WRONG = new Set(['malformed', 'wrong_key', 'tampered', 'rolled_back', 'forked', 'conflict', 'other_block']);
/** The user has as much as they may. */
const FULL = new Set(['too_many_backups', 'full']);
/** There is no master key on this device. */
const LOCKED = new Set(['no_master_key', 'no_identity', 'no_device']);

/**
 * `history`: there may be keys for what was written in this room before this device came; `changed`: `isOpen` or `troubleIn` say something else.
 * @typedef {{ history: (room: Uuid) => void, changed: () => void }} ArchiveTold
 * `roomsOf`: the user's encrypted rooms, as they are known; `ownRooms`: all of the user's rooms, as the server says now.
 * @typedef {Parts & { now: () => number, roomsOf: () => Uuid[], ownRooms: () => Promise<Uuid[]> }} ArchiveParts
 */

export class Archive {
  #parts;
  #told;
  /** Whether the master key is here; null: to be found out. @type {boolean | null} */
  #isOpen = null;
  #isClosed = false;
  /** By room: the newest epoch that is known of. @type {Map<Uuid, number>} */
  #epochs = new Map();
  /** By room: all blocks below this one were found to be in the archive. @type {Map<Uuid, number>} */
  #written = new Map();
  /** By slot: when it was asked for. @type {Map<string, number>} */
  #asked = new Map();
  /** By slot: why it is kept apart. @type {Map<string, string>} */
  #apart = new Map();
  /** What is to be done, by name, one after the other. @type {Map<string, () => Promise<unknown>>} */
  #jobs = new Map();
  #isWorking = false;
  #isHurried = false;
  #attempt = 0;
  /** Ends the wait before what is to be done, unless that is because something failed. */
  #goOn = () => {};

  /**
   * @param {ArchiveParts} parts
   * @param {ArchiveTold} told
   */
  constructor(parts, told) {
    this.#parts = parts;
    this.#told = told;
  }

  /** Whether the master key is here, as far as is known. */
  get isOpen() {
    return this.#isOpen === true;
  }

  /** Why the archive of a room is kept apart: a stable code; null: it is not. @param {Uuid} room */
  troubleIn(room) {
    for (const [slot, code] of this.#apart) if (roomOfSlot(slot) === room) return code;
    return null;
  }

  /** The master key may be here now: what the archive lacks is written, and what can be read is told. */
  async begin() {
    const was = this.#isOpen;
    this.#isOpen = null;
    // What cannot be asked now is asked with what is done next.
    const isOpen = await this.#opens().catch(() => was);
    if (!isOpen || was === true) return;
    this.#told.changed();
    for (const room of this.#epochs.keys()) this.#write(room);
    // Rooms may have been left while this device was away.
    this.#later('tidy', () => this.#drop(() => true));
    if (was !== false) return;
    // Made or unlocked just now: what the person does next may be to log out.
    this.hurry();
    for (const room of this.#parts.roomsOf()) this.#told.history(room);
  }

  /** A room's group is in this epoch. @param {Uuid} room @param {number} epoch */
  began(room, epoch) {
    this.#epochs.set(room, epoch);
    this.#jobs.delete(`drop ${room}`);
    if (this.#isOpen !== false) this.#write(room);
  }

  /** The user may no longer be in it: then nothing of it stays with the server. @param {Uuid} room */
  left(room) {
    this.#epochs.delete(room);
    this.#written.delete(room);
    this.#jobs.delete(`write ${room}`);
    // What was not found may have been something else of it: the list of rooms says.
    this.#later(`drop ${room}`, () => this.#drop((each) => each === room));
  }

  /**
   * The key of an epoch that this device did not come through, with all of its block; each is asked for every few minutes at most.
   * @param {Uuid} room
   * @param {number} epoch
   * @returns {Promise<boolean>} whether there are more keys than before
   */
  async recall(room, epoch) {
    const of = { room, block: Math.floor(epoch / BLOCK) };
    const slot = slotOf(of);
    if (slot === null || !this.#mayAsk(slot) || !(await this.#opens())) return false;
    this.#asked.set(slot, this.#parts.now());
    try {
      return await this.#read(slot, of);
    } catch {
      // Nobody waits for it: it is told when it is there.
      this.#later(`read ${slot}`, () => this.#read(slot, of));
      return false;
    }
  }

  /** @param {string} slot */
  #mayAsk(slot) {
    const asked = this.#asked.get(slot);
    return asked === undefined ? this.#asked.size < MAX_ASKED : this.#parts.now() - asked >= RECALL_AGAIN_MS;
  }

  /** @param {string} slot @param {Block} of @returns {Promise<boolean>} whether there are more keys than before */
  #read(slot, of) {
    // Not while a newer one is written: what came before it would look like a step back.
    return this.#parts.exclusively('webcall-archive', async () => {
      const there = await this.#parts.delivery.backup(slot);
      return there !== null && ((await this.#take(slot, of, there.blob)) ?? 0) > 0;
    });
  }

  /** The page may end: what waits is done now, and what waits for that, after it. */
  hurry() {
    this.#isHurried = this.#isWorking;
    this.#goOn();
  }

  close() {
    this.#isClosed = true;
    this.#jobs.clear();
  }

  async #opens() {
    if (this.#isOpen !== null) return this.#isOpen;
    try {
      await this.#parts.keys.ask({ op: 'unlockers' }, 'backup');
      this.#isOpen = true;
    } catch (error) {
      if (!(error instanceof KeysRefused) || !LOCKED.has(error.code)) throw error;
      this.#isOpen = false;
    }
    return this.#isOpen;
  }

  /** @param {Uuid} room */
  #write(room) {
    this.#later(`write ${room}`, async () => {
      const epoch = this.#epochs.get(room);
      if (epoch === undefined || !(await this.#opens())) return;
      const last = Math.floor(epoch / BLOCK);
      for (let block = Math.max(this.#written.get(room) ?? 0, last - MAX_WRITTEN + 1); block <= last; block += 1) {
        await this.#parts.exclusively('webcall-archive', () => this.#writeBlock({ room, block }));
        this.#written.set(room, block);
      }
    });
  }

  /** @param {Block} of */
  async #writeBlock(of) {
    const { delivery } = this.#parts;
    const slot = slotOf(of);
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (slot === null || this.#apart.has(slot) || (await this.#lacking(of)) === null) return;
      const there = await delivery.backup(slot);
      // Another of the user's devices may have written what is new here.
      if (there !== null && (await this.#take(slot, of, there.blob)) === null) return;
      const sealed = await this.#lacking(of);
      if (sealed === null) return;
      const isKept = await delivery.keepBackup(slot, there?.version ?? 0, sealed).catch((error) => this.#givenUp(slot, error));
      if (isKept) await this.#take(slot, of, sealed);
    }
    throw new KeysRefused('backup_changed');
  }

  /** As it is to be written; null: the archive has all that is here. @param {Block} of @returns {Promise<Base64 | null>} */
  async #lacking(of) {
    return (await this.#parts.keys.ask({ op: 'seal_segment', of, now_ms: this.#parts.now() }, 'segment')).sealed;
  }

  /** @param {string} slot @param {Block} of @param {Base64} sealed @returns {Promise<number | null>} keys that are new; null: it was refused */
  async #take(slot, of, sealed) {
    try {
      const { fresh } = await this.#parts.keys.ask({ op: 'take_segment', of, sealed }, 'taken');
      if (this.#apart.delete(slot)) this.#told.changed();
      if (fresh > 0) this.#told.history(of.room);
      return fresh;
    } catch (error) {
      if (!(error instanceof KeysRefused) || !(WRONG.has(error.code) || FULL.has(error.code))) throw error;
      this.#keepApart(slot, error.code);
      return null;
    }
  }

  /** @param {string} slot @param {unknown} error @returns {boolean} never */
  #givenUp(slot, error) {
    if (!(error instanceof ApiError) || !FULL.has(error.code)) throw error;
    this.#keepApart(slot, error.code);
    return false;
  }

  /** @param {string} slot @param {string} code */
  #keepApart(slot, code) {
    this.#apart.set(slot, code);
    this.#told.changed();
  }

  /** What there is of rooms that are not the user's any more. @param {(room: Uuid) => boolean} isMeant */
  async #drop(isMeant) {
    const slots = (await this.#parts.delivery.backups()).map((each) => ({ ...each, room: roomOfSlot(each.slot) })).filter(({ room }) => room !== null && isMeant(room));
    if (slots.length === 0) return;
    // Asked after the slots: another window, or another device, may have come into a room meanwhile and written there.
    const own = new Set(await this.#parts.ownRooms());
    for (const { slot, version, room } of slots) {
      if (room === null || own.has(room)) continue;
      if (this.#isClosed) return;
      await this.#parts.delivery.dropBackup(slot, version);
      if (this.#apart.delete(slot)) this.#told.changed();
    }
  }

  /** @param {string} name in place of what was to be done under this name @param {() => Promise<unknown>} act */
  #later(name, act) {
    if (this.#isClosed) return;
    this.#jobs.set(name, act);
    if (!this.#isWorking) void this.#work();
  }

  async #work() {
    this.#isWorking = true;
    for (let failedMs = 0; this.#jobs.size > 0; ) {
      await (failedMs > 0 ? this.#parts.pause(failedMs) : this.#gather());
      failedMs = await this.#workOff();
    }
    this.#isWorking = false;
  }

  async #gather() {
    const { pause, random } = this.#parts;
    if (!this.#isHurried) await Promise.race([pause(GATHER_MS + Math.round(random() * SPREAD_MS)), new Promise((resolve) => (this.#goOn = () => resolve(undefined)))]);
    this.#goOn = () => {};
    this.#isHurried = false;
  }

  /** Up to the first that fails. @returns {Promise<number>} how long to wait before it is tried again; 0: none did */
  async #workOff() {
    for (const [name, act] of [...this.#jobs]) {
      // Taken back meanwhile, or in another's place.
      if (this.#jobs.get(name) !== act) continue;
      this.#jobs.delete(name);
      try {
        await act();
      } catch (error) {
        if (this.#isClosed) break;
        // It would be refused again; the next epoch begins it anew.
        if (error instanceof ApiError && isFinal(error)) continue;
        // Behind the others: what always fails keeps none of them from their turn.
        if (!this.#jobs.has(name)) this.#jobs.set(name, act);
        const retryAfterMs = 1_000 * ((error instanceof ApiError && error.retryAfterS) || 0);
        return Math.max(retryAfterMs, backoffMs(OUTBOX_BACKOFF, this.#attempt++, this.#parts.random()));
      }
    }
    this.#attempt = 0;
    return 0;
  }
}
