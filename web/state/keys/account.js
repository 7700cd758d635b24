/**
 * The device and groups of one user, from log-in to log-out: what the store hears becomes work here, and what fails for the moment is tried
 * again.
 */

/** @import { Look, Stay, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { KeysStatus } from './store.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { Archive } from './archive.js';
import { Arrivals } from './arrivals.js';
import { groupName, uuidOf } from './bytes.js';
import { CallGroup } from './call-group.js';
import { Inbox } from './inbox.js';
import { OwnDevice } from './own-device.js';
import { NewDevice } from './new-device.js';
import { OwnDevices } from './own-devices.js';
import { oneAtATime } from './parts.js';
import { Recovery } from './recovery.js';
import { RoomGroup } from './room-group.js';
import { RoomMessages } from './room-messages.js';

/** From looking at oneself before a call to joining it. */
const LATELY_MS = 15_000;

/** @typedef {import('./archive.js').ArchiveParts} AccountParts */

/**
 * `room`: its group is in another epoch; `waiting`: this device waits to be let into it, or no longer; `person`: is trusted otherwise than before;
 * `history`: what was written in a room before this device came may open now; `archive`: it is here now, or that of a room stands otherwise than
 * before; `log`: the log of keys was contradicted, or the person goes on.
 * @typedef {{ standing: (standing: KeysStatus) => void, room: (room: Uuid) => void, waiting: (room: Uuid) => void, person: (user: Uuid) => void, history: (room: Uuid) => void, archive: () => void, log: () => void }} Told
 */

export class KeysAccount {
  #user;
  #parts;
  #told;
  #device;
  #inbox;
  #archive;
  #messages;
  #arrivals;
  /** @type {Map<Uuid, RoomGroup>} */
  #rooms = new Map();
  /** @type {Map<Uuid, CallGroup>} */
  #calls = new Map();
  /** Stays that are ending: the next one in the same call begins after them. @type {Map<Uuid, Promise<void>>} */
  #leaving = new Map();
  #attempt = 0;
  #closed = false;
  #isReady = false;
  #restocking = false;
  /** What failed is tried again once for all. */
  #isRetrying = false;
  /** By room: when it was brought up to date. @type {Map<Uuid, number>} */
  #synced = new Map();
  /** By room: the epoch that was told last. @type {Map<Uuid, number | undefined>} */
  #toldEpochs = new Map();
  #start = oneAtATime(() => this.#open());

  /** Rooms whose group this device waits to be let into. @type {Set<Uuid>} */
  #waiting = new Set();

  /** Used while another device is to vouch for this one. */
  asking;
  /** The user's own devices. */
  devices;
  recovery;
  /** What is known of others: whom the person trusts, whom they compared keys with. */
  people;

  /**
   * @param {Uuid} user
   * @param {AccountParts} parts
   * @param {Told} told
   */
  constructor(user, parts, told) {
    this.#user = user;
    this.#parts = parts;
    this.#told = told;
    this.#device = new OwnDevice(parts, user, parts.now);
    this.#inbox = new Inbox(parts, (room) => this.#welcomed(room));
    this.asking = new NewDevice(user, parts, () => this.#start());
    this.devices = new OwnDevices(user, parts, () => this.#device.id);
    this.#archive = new Archive(parts, { history: (room) => told.history(room), changed: () => told.archive() });
    this.recovery = new Recovery(user, parts, () => void this.#archive.begin());
    this.people = parts.people;
    parts.people.addEventListener('trust', (event) => told.person(/** @type {CustomEvent} */ (event).detail.user));
    parts.log.addEventListener('alarm', () => told.log());
    this.#arrivals = new Arrivals(parts, (room) => this.lookOf(room));
    this.#messages = new RoomMessages(parts.keys, parts.now, {
      current: (room) => this.sync(room),
      toSend: (room) => this.toSendIn(room),
      lookOf: (room) => this.lookOf(room),
      renew: (room) => this.#roomGroup(room).renew(),
      learn: (room) => this.#learn(room),
      recall: (room, epoch) => this.#archive.recall(room, epoch),
      // What this device said itself says nothing of others.
      heard: (message) => void (message.device !== this.#device.id && parts.log.heard(message)),
    });
  }

  /** Whose. */
  get user() {
    return this.#user;
  }

  /** Whether this device has what opens the archive of keys. */
  get hasArchive() {
    return this.#archive.isOpen;
  }

  /** Why the archive of a room's keys is kept apart: a stable code, or null. @param {Uuid} room */
  archiveTrouble(room) {
    return this.#archive.troubleIn(room);
  }

  /** A file for an encrypted room. @param {Blob} file @param {{ name: string, type: string }} said what the receiver is told of it */
  sealFile(file, said) {
    return this.#parts.keys.sealFile(file, said);
  }

  /** The file that was sealed. @param {Blob} file as the server has it @param {string} sealed as the message says */
  openFile(file, sealed) {
    return this.#parts.keys.openFile(file, sealed);
  }

  /** So that a notice can say what was written. @param {Uuid} room @param {string} language @param {import('../../e2ee/push/interface.js').NoticeNames} names */
  keepNotices(room, language, names) {
    return this.#parts.keys.keepNotices(room, language, names);
  }

  /** What is written in encrypted rooms. */
  get messages() {
    return this.#messages;
  }

  /** The page may end: what is put off is done now. */
  hurry() {
    this.#archive.hurry();
  }

  /** The connection is there, or something may have been missed. */
  up() {
    this.#attempt = 0;
    for (const group of this.#rooms.values()) group.wasAway();
    this.#followCalls();
    this.#parts.people.forget();
    this.#parts.log.grew();
    this.#messages.learnAgain();
    void this.#start();
  }

  /**
   * The group of a room, up to date.
   * @param {Uuid} room
   * @returns {Promise<Look | null>} null: this device is not in it yet
   */
  async sync(room) {
    const group = this.#roomGroup(room);
    try {
      const look = await group.sync();
      this.#synced.set(room, this.#parts.now());
      this.#wait(room, look === null);
      return look;
    } finally {
      this.#tell(room, group.look?.epoch);
    }
  }

  /**
   * The same, where it was brought up to date just now: what changes since is told, and followed by itself.
   * @param {Uuid} room
   * @returns {Promise<Look | null>}
   */
  async syncedLately(room) {
    const age_ms = this.#parts.now() - (this.#synced.get(room) ?? -Infinity);
    return (age_ms >= 0 && age_ms < LATELY_MS && this.lookOf(room)) || this.sync(room);
  }

  /** Whether somebody has to let this device into the room's group first. @param {Uuid} room */
  isWaitingIn(room) {
    return this.#waiting.has(room);
  }

  /** @param {Uuid} room @param {boolean} isWaiting */
  #wait(room, isWaiting) {
    if (isWaiting === this.#waiting.has(room)) return;
    if (isWaiting) this.#waiting.add(room);
    else this.#waiting.delete(room);
    this.#told.waiting(room);
  }

  /** @param {Uuid} room @param {number | undefined} epoch in which its group is now */
  #tell(room, epoch) {
    if (this.#toldEpochs.get(room) === epoch) return;
    this.#toldEpochs.set(room, epoch);
    if (epoch !== undefined) this.#archive.began(room, epoch);
    this.#told.room(room);
    this.#arrivals.changed(room);
    // Who is no longer in the room is no longer in its call.
    this.#followCalls();
  }

  #followCalls() {
    for (const group of this.#calls.values()) void group.follow();
  }

  /** This device is in the room's group now: where the welcome could not be taken in, it comes in by itself. @param {Uuid} room */
  #welcomed(room) {
    this.#roomGroup(room).reachAgain();
    return this.#unlessLeft(room);
  }

  /**
   * The group of a room in which something is to be sent. Nothing is, while a member shows other keys than those that were accepted, or the log of
   * keys is contradicted.
   * @param {Uuid} room
   * @returns {Promise<Look | null>} null: this device is not in it yet; rejects with KeysRefused `identity_changed`, `split_view`
   */
  async toSendIn(room) {
    await this.#parts.log.beforeSending();
    await this.#unchanged(room);
    let look = await this.sync(room);
    if (look !== null && (await this.#arrivals.wait(room, look))) look = await this.sync(room);
    // Bringing it up to date may have shown more of who is in it.
    await this.#unchanged(room);
    return look;
  }

  /** Members who show other keys than those that were accepted. @param {Uuid} room @returns {Promise<Uuid[]>} */
  async changedIn(room) {
    return [...(await this.concernsIn(room))].filter(([, each]) => each === 'changed').map(([user]) => user);
  }

  /**
   * Members whose keys are not as they should be.
   * @param {Uuid} room
   * @returns {Promise<Map<Uuid, 'changed' | 'refused'>>}
   */
  async concernsIn(room) {
    /** @type {Map<Uuid, 'changed' | 'refused'>} */
    const concerns = new Map();
    for (const [user, trust] of await this.#parts.people.know(await this.#parts.membersOf(room))) {
      if (trust === 'changed' || trust === 'refused') concerns.set(user, trust);
    }
    return concerns;
  }

  /** As it was found last. @param {Uuid} user */
  trustIn(user) {
    return this.#parts.people.trustIn(user);
  }

  /** The person says that this identity is the user's. @param {Uuid} user @param {string} identity */
  async accept(user, identity) {
    await this.#parts.people.accept(user, identity);
    await this.#countsAgain(user);
  }

  /** The person compared it with the user, whom they know by this name. @param {Uuid} user @param {string} identity @param {string} name */
  async verify(user, identity, name) {
    await this.#parts.people.verify(user, identity, name);
    await this.#countsAgain(user);
  }

  /** @param {Uuid} user */
  async #countsAgain(user) {
    await this.#parts.people.know([user]);
    for (const room of this.#rooms.keys()) this.roomChanged(room);
  }

  /** What contradicts the log of keys. */
  get logAlarms() {
    return this.#parts.log.alarms;
  }

  /** The person goes on regardless of what contradicts the log. */
  async acceptLog() {
    await this.#parts.log.accept();
    this.#parts.people.forget();
    void this.#start();
  }

  /** How it was found last. @param {Uuid} room */
  lookOf(room) {
    return this.#rooms.get(room)?.look ?? null;
  }

  /** A stay in a call. @param {Uuid} call @param {Stay} stay @param {{ over: () => void, epoch: () => void }} told as `CallGroup` tells it */
  stayIn(call, stay, told) {
    const parts = { ...this.#parts, syncRoom: (/** @type {Uuid} */ room) => this.sync(room), before: this.#leaving.get(call) ?? Promise.resolve() };
    const group = new CallGroup(call, stay, parts, told);
    this.#calls.set(call, group);
    return group;
  }

  /** @param {Uuid} call @param {CallGroup} group */
  async leave(call, group) {
    // The next stay in the same call may have begun: what is kept under the call's name is its, then.
    if (this.#calls.get(call) !== group) return group.end(false);
    this.#calls.delete(call);
    const left = group.end(true);
    this.#leaving.set(call, left);
    await left;
    if (this.#leaving.get(call) === left) this.#leaving.delete(call);
  }

  /** @param {Uuid} user */
  keysChanged(user) {
    this.#parts.people.forget(user);
    this.#parts.log.grew();
    // Another of one's own devices may have vouched for this one, or revoked it.
    if (user === this.#user) void this.#start();
    this.#messages.learnAgain();
    for (const [room, group] of this.#rooms) {
      group.reachAgain();
      this.#later(room);
    }
    this.#followCalls();
  }

  /** @param {Uuid} device */
  inboxFilled(device) {
    if (this.#isReady && this.#device.id !== null && uuidOf(this.#device.id) === device) void this.#work(() => this.#takeIn());
  }

  /** @param {string} group as the server calls it */
  committed(group) {
    const name = groupName(group);
    if (name?.kind === 'room') this.#later(name.id);
    if (name?.kind === 'call') void this.#calls.get(name.id)?.follow();
  }

  /** Somebody came or left. @param {Uuid} room */
  roomChanged(room) {
    this.#rooms.get(room)?.reachAgain();
    this.#later(room);
  }

  close() {
    this.#closed = true;
    this.#archive.close();
    this.#parts.keys.close();
  }

  async #open() {
    if (this.#closed) return;
    await this.#work(async () => {
      const standing = await this.#device.open();
      this.#isReady = standing === 'ready';
      this.#told.standing(standing);
      if (standing !== 'ready') return;
      void this.#archive.begin();
      await this.#takeIn();
      for (const room of this.#rooms.keys()) this.roomChanged(room);
      await this.#parts.log.freshen();
      if (this.#device.hasOthers) await this.#enterRooms();
    });
  }

  /** A further device of a user comes in by itself: nobody adds another device of whoever is there already. */
  async #enterRooms() {
    for (const room of this.#parts.roomsOf()) {
      if (this.#rooms.has(room) || (await this.#roomGroup(room).isInside())) continue;
      await this.#work(() => this.sync(room));
    }
  }

  /** @param {Uuid} room */
  async #unchanged(room) {
    if ((await this.changedIn(room)).length > 0) throw new KeysRefused('identity_changed');
  }

  async #takeIn() {
    if (this.#device.id === null) return;
    await this.#inbox.empty(this.#device.id);
    await this.#restock();
  }

  /** A welcome has used a key package. */
  async #restock() {
    if (this.#restocking) return;
    this.#restocking = true;
    await this.#device.restock().finally(() => (this.#restocking = false));
  }

  /** Rooms that nobody here looked at yet are brought up to date when somebody does. @param {Uuid} room */
  #later(room) {
    if (this.#isReady && this.#rooms.has(room)) void this.#work(() => this.#unlessLeft(room));
  }

  /** A room that one has left needs nothing any more. @param {Uuid} room @returns {Promise<Look | null>} */
  async #unlessLeft(room) {
    try {
      return await this.sync(room);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#rooms.delete(room);
      this.#waiting.delete(room);
      this.#toldEpochs.delete(room);
      this.#synced.delete(room);
      this.#archive.left(room);
      return null;
    }
  }

  /** @param {Uuid} room */
  async #learn(room) {
    const users = await this.#parts.membersOf(room);
    for (const user of users) this.#parts.people.forget(user);
    await this.#parts.people.know(users);
  }

  /** @param {Uuid} room */
  #roomGroup(room) {
    let group = this.#rooms.get(room);
    if (!group) this.#rooms.set(room, (group = new RoomGroup(room, this.#parts)));
    return group;
  }

  /** What fails for the moment is done with everything else, later. @param {() => Promise<unknown>} act */
  async #work(act) {
    try {
      await act();
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof KeysRefused && ['worker', 'wasm', 'storage'].includes(error.code)) this.#told.standing('failed');
      if (!this.#isRetrying) void this.#retry();
    }
  }

  async #retry() {
    this.#isRetrying = true;
    await this.#parts.pause(backoffMs(OUTBOX_BACKOFF, this.#attempt++, this.#parts.random()));
    this.#isRetrying = false;
    if (!this.#closed) void this.#start();
  }
}
