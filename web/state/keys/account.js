/**
 * The device and groups of one user, from log-in to log-out: what the store hears becomes work here, and what fails for the moment is tried
 * again. How each part does its work, the parts know: `room-groups.js`, `stays.js`, `sending.js`, `archive.js`, `room-messages.js`.
 */

/** @import { Base64, Look, Stay, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { CallGroup } from './call-group.js' */
/** @import { KeysStatus } from './store.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { Archive } from './archive.js';
import { fromServer, groupName, toServer, uuidOf } from './bytes.js';
import { usersIn } from './group.js';
import { Harms } from './harms.js';
import { Inbox } from './inbox.js';
import { OwnDevice } from './own-device.js';
import { NewDevice } from './new-device.js';
import { OwnDevices } from './own-devices.js';
import { oneAtATime } from './parts.js';
import { Recovery } from './recovery.js';
import { RoomGroups } from './room-groups.js';
import { RoomMessages } from './room-messages.js';
import { Sending } from './sending.js';
import { Stays } from './stays.js';

/** @typedef {import('./archive.js').ArchiveParts} AccountParts */

/**
 * `room`: its group is in another epoch; `waiting`: this device waits to be let into it, or no longer; `person`: is trusted otherwise than before;
 * `history`: what was written in a room before this device came may open now; `archive`: it is here now, or that of a room stands otherwise than
 * before; `log`: the log of keys was contradicted, or the person goes on; `door`: others wait for the person to let them into a room, or no longer; `harm`: somebody's
 * device changed the keys of a room so that nobody can follow, or the person has seen that.
 * @typedef {{ standing: (standing: KeysStatus) => void, room: (room: Uuid) => void, waiting: (room: Uuid) => void, door: (room: Uuid) => void, harm: (room: Uuid) => void, person: (user: Uuid) => void, history: (room: Uuid) => void, archive: () => void, log: () => void }} Told
 */

export class KeysAccount {
  #user;
  #parts;
  #told;
  #device;
  #inbox;
  #archive;
  #messages;
  #rooms;
  #sending;
  #stays;
  #harms = new Harms();
  #attempt = 0;
  #closed = false;
  #isReady = false;
  #restocking = false;
  /** What failed is tried again once for all. */
  #isRetrying = false;
  #start = oneAtATime(() => this.#open());
  #takeIn = oneAtATime(() => this.#takeInNow());

  /** Used while another device is to vouch for this one. */
  asking;
  /** The user's own devices. */
  devices;
  /** Those that came without this one's doing, and of which the person does not know yet. @type {readonly string[]} */
  newDevices = [];
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
    this.#inbox = new Inbox(parts, () => this.#device.id, (room) => this.#welcomed(room), (room) => this.#isHeld(room));
    this.asking = new NewDevice(user, parts, () => this.#start());
    this.devices = new OwnDevices(user, parts, () => this.#device.id);
    this.#archive = new Archive(parts, { history: (room) => told.history(room), changed: () => told.archive() });
    this.recovery = new Recovery(user, parts, () => void this.#archive.begin());
    this.people = parts.people;
    parts.people.addEventListener('trust', (event) => told.person(/** @type {CustomEvent} */ (event).detail.user));
    parts.people.addEventListener('greeted', (event) => this.#greeted(/** @type {CustomEvent} */ (event).detail.room));
    parts.log.addEventListener('alarm', () => this.#logChanged());
    const within = { ...parts, welcomed: (/** @type {Uuid} */ room) => this.#inbox.enter(room), harmed: (/** @type {Uuid} */ room, /** @type {Uuid} */ user) => void (this.#harms.add(room, user) && told.harm(room)) };
    this.#rooms = new RoomGroups(within, { epoch: (room, epoch) => this.#began(room, epoch), waiting: (room) => told.waiting(room), door: (room) => told.door(room), left: (room) => this.#archive.left(room) });
    this.#sending = new Sending(parts, this.#rooms);
    this.#stays = new Stays(within, (room) => this.#rooms.sync(room));
    this.#messages = new RoomMessages(parts.keys, parts.now, {
      current: (room) => this.#rooms.sync(room),
      toSend: (room) => this.#sending.groupOf(room),
      lookOf: (room) => this.#rooms.lookOf(room),
      renew: (room) => this.#rooms.renew(room),
      learn: async (user) => void (await parts.people.knowAnew([user])),
      recall: (room, epoch) => this.#archive.recall(room, epoch),
      // What this device said itself says nothing of others.
      heard: (message) => void (message.device !== this.#device.id && parts.log.heard(message)),
    });
  }

  /** Whose. */
  get user() {
    return this.#user;
  }

  /** Whether nobody can bring this device in because its clock is another than the server's. */
  get isClockWrong() {
    return this.#device.isClockWrong;
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
    this.#rooms.wasAway();
    this.#stays.followAll();
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
  sync(room) {
    return this.#rooms.sync(room);
  }

  /**
   * The same, where it was brought up to date just now.
   * @param {Uuid} room
   * @returns {Promise<Look | null>}
   */
  syncedLately(room) {
    return this.#rooms.syncedLately(room);
  }

  /** How it was found last. @param {Uuid} room */
  lookOf(room) {
    return this.#rooms.lookOf(room);
  }

  /** Whether somebody has to let this device into the room's group first. @param {Uuid} room */
  isWaitingIn(room) {
    return this.#rooms.isWaitingIn(room);
  }

  /** Whether the server shows another group for a strict room than it can have. @param {Uuid} room */
  wrongIn(room) {
    return this.#rooms.wrongIn(room);
  }

  /** The person goes on from an older state of the server's. @param {Uuid} room */
  goBack(room) {
    return this.#rooms.goBack(room);
  }

  /** Members who wait for a person to let them in. @param {Uuid} room */
  atTheDoorOf(room) {
    return this.#rooms.atTheDoorOf(room);
  }

  /** Whose devices changed the keys of a room so that nobody could follow. @param {Uuid} room */
  harmsIn(room) {
    return this.#harms.in(room);
  }

  /** The person has seen that. @param {Uuid} room */
  harmSeen(room) {
    this.#harms.seen(room);
    this.#told.harm(room);
  }

  /** The person lets them in. @param {Uuid} room @param {readonly Uuid[]} users */
  letIn(room, users) {
    this.#rooms.letIn(room, users);
    this.#later(room);
  }

  /** What makes a link to this room let in whoever is given it; null into a strict one, and while this device is not inside. @param {Uuid} room @param {string} code @returns {Promise<string | null>} */
  async linkTo(room, code) {
    if (this.wrongIn(room) !== null) return null;
    try {
      return toServer((await this.#parts.keys.ask({ op: 'link', room, code }, 'link')).secret);
    } catch (error) {
      if (error instanceof KeysRefused && ['wrong_kind', 'not_open', 'not_member'].includes(error.code)) return null;
      throw error;
    }
  }

  /** What this user shows who was given a link with this secret; null where it is none. @param {string} secret @returns {Promise<Base64 | null>} */
  async invitationBy(secret) {
    try {
      return (await this.#parts.keys.ask({ op: 'show_link', secret: fromServer(secret) }, 'shown')).invitation;
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'malformed') return null;
      throw error;
    }
  }

  /** The group of a room in which something is to be sent, as `Sending` gives it. @param {Uuid} room */
  toSendIn(room) {
    return this.#sending.groupOf(room);
  }

  /** Members whose keys are not as they should be. @param {Uuid} room */
  concernsIn(room) {
    return this.#sending.concernsIn(room);
  }

  /** Members who show other keys than those that were accepted. @param {Uuid} room */
  changedIn(room) {
    return this.#sending.changedIn(room);
  }

  /** What follows from the epoch in which a room's group is now. @param {Uuid} room @param {number | undefined} epoch */
  #began(room, epoch) {
    if (epoch !== undefined) this.#archive.began(room, epoch);
    this.#told.room(room);
    this.#sending.changed(room);
    // A device of one's own may have come into it, of which the server did not tell.
    if (this.#isReady) void this.#work(() => this.#findNewDevices());
    // Who is no longer in the room is no longer in its call.
    this.#stays.followAll();
  }

  /** What waited until the person has seen who is there goes on. @param {Uuid} room */
  #greeted(room) {
    this.#told.room(room);
    this.#stays.followAll();
  }

  /** This device is in the room's group now: where no welcome can be taken in, it comes in by itself. @param {Uuid} room @returns {Promise<Look | null>} */
  #welcomed(room) {
    this.#rooms.welcomed(room);
    return this.#rooms.syncUnlessLeft(room);
  }

  /** Before the person has decided nothing more is taken in there. @param {Uuid} room @returns {boolean} */
  #isHeld(room) {
    return this.wrongIn(room) !== null;
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
    for (const room of this.#rooms.known) void this.roomChanged(room);
  }

  /** What contradicts the log of keys. */
  get logAlarms() {
    return this.#parts.log.alarms;
  }

  /** Takes note of what another window of this browser found. */
  lookAtLog() {
    return this.#parts.log.look();
  }

  /** Whether a contradiction concerns the room that the person has not decided about. @param {Uuid} room */
  isContradictedIn(room) {
    const look = this.#rooms.lookOf(room);
    return this.#parts.log.concerns(look === null ? new Set() : usersIn(look));
  }

  /** The person goes on regardless of what contradicts the log. */
  async acceptLog() {
    await this.#parts.log.accept();
    this.#parts.people.forget();
    void this.#start();
  }

  /** What a call of this room needs is made ready. @param {Uuid} room */
  rehearse(room) {
    return this.#stays.rehearse(room);
  }

  /** A stay in a call. @param {Uuid} call @param {Stay} stay @param {{ over: () => void, epoch: () => void }} told as `CallGroup` tells it */
  stayIn(call, stay, told) {
    return this.#stays.begin(call, stay, told);
  }

  /** @param {Uuid} call @param {CallGroup} group */
  leave(call, group) {
    return this.#stays.end(call, group);
  }

  #logChanged() {
    this.#stays.endWhere((room) => this.isContradictedIn(room));
    this.#told.log();
  }

  /** @param {Uuid} user */
  keysChanged(user) {
    this.#parts.people.forget(user);
    this.#parts.log.grew();
    // Another of one's own devices may have vouched for this one, or revoked it.
    if (user === this.#user) void this.#start();
    this.#messages.learnAgain();
    const learned = [...this.#rooms.known].map((room) => this.roomChanged(room));
    this.#stays.followAll();
    // Who counts no more goes also where the room's own group waits for something.
    void Promise.all(learned).then(() => this.#stays.followAll());
  }

  /** @param {Uuid} device */
  inboxFilled(device) {
    if (this.#isReady && this.#device.id !== null && uuidOf(this.#device.id) === device) void this.#work(() => this.#takeIn());
  }

  /** @param {string} group as the server calls it @param {number} epoch in which it is now */
  committed(group, epoch) {
    const name = groupName(group);
    if (name?.kind === 'room') {
      this.#rooms.committed(name.id, epoch);
      void this.#later(name.id);
    }
    if (name?.kind === 'call') this.#stays.committed(name.id, epoch);
  }

  /** Somebody came or left. @param {Uuid} room */
  roomChanged(room) {
    this.#rooms.reachAgain(room);
    return this.#later(room);
  }

  close() {
    this.#closed = true;
    this.#archive.close();
    this.#stays.close();
    this.#parts.keys.close();
  }

  async #open() {
    if (this.#closed) return;
    await this.#work(async () => {
      const standing = await this.#device.open();
      this.#isReady = standing === 'ready';
      this.#told.standing(standing);
      if (standing !== 'ready') return;
      await this.#findNewDevices();
      void this.#archive.begin();
      await this.#takeIn();
      for (const room of this.#rooms.known) void this.roomChanged(room);
      await this.#parts.log.freshen();
      if (this.#device.hasOthers) await this.#enterRooms();
    });
  }

  async #findNewDevices() {
    const devices = await this.devices.news();
    if (devices.join() === this.newDevices.join()) return;
    this.newDevices = devices;
    this.#told.person(this.#user);
  }

  /** The person knows of these devices of theirs, which came elsewhere. @param {readonly string[]} devices */
  async sawDevices(devices) {
    await this.devices.saw([...devices]);
    await this.#findNewDevices();
  }

  /** A further device of a user comes in by itself: nobody adds another device of whoever is there already. */
  async #enterRooms() {
    for (const room of this.#parts.roomsOf()) {
      if (this.#rooms.isKnown(room) || (await this.#rooms.isInside(room))) continue;
      await this.#work(() => this.#rooms.sync(room));
    }
  }

  async #takeInNow() {
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
  async #later(room) {
    if (this.#isReady && this.#rooms.isKnown(room)) await this.#work(() => this.#rooms.syncUnlessLeft(room));
  }

  /** What fails for the moment is done with everything else, later. @param {() => Promise<unknown>} act */
  async #work(act) {
    try {
      await act();
    } catch (error) {
      if (this.#closed) return;
      if (error instanceof KeysRefused && ['worker', 'wasm', 'storage', 'failed'].includes(error.code)) this.#told.standing('failed');
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
