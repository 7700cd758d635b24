/**
 * The groups of a user's rooms, each brought up to date when somebody asks or something changed, and what is known of each since. Who may read what is
 * written there, and what follows from a new epoch, others decide.
 */

/** @import { Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Wrong } from './room-group.js' */
/** @import { GroupParts } from './parts.js' */

import { ApiError } from '../../net/api.js';
import { RoomGroup } from './room-group.js';

/** From looking at oneself before a call to joining it. */
const LATELY_MS = 15_000;

/**
 * `epoch`: its group is in another one; undefined: this device is not in it. `waiting`: this device waits to be let into it, or no longer. `door`: others
 * wait for a person to let them in, or no longer. `left`: the user is not in the room any more.
 * @typedef {{ epoch: (room: Uuid, epoch: number | undefined) => void, waiting: (room: Uuid) => void, door: (room: Uuid) => void, left: (room: Uuid) => void }} RoomsTold
 */

export class RoomGroups {
  #parts;
  #told;
  /** @type {Map<Uuid, RoomGroup>} */
  #groups = new Map();
  /** By room: when it was brought up to date. @type {Map<Uuid, number>} */
  #synced = new Map();
  /** By room: the epoch that was told last. @type {Map<Uuid, number | undefined>} */
  #toldEpochs = new Map();
  /** By room: who was told last to be at the door. @type {Map<Uuid, string>} */
  #toldDoors = new Map();
  /** Rooms whose group this device waits to be let into, and what is wrong with the group that the server shows for them. @type {Map<Uuid, Wrong | null>} */
  #waiting = new Map();

  /**
   * @param {GroupParts & { now: () => number }} parts
   * @param {RoomsTold} told
   */
  constructor(parts, told) {
    this.#parts = parts;
    this.#told = told;
  }

  /** Rooms that somebody here looked at. */
  get known() {
    return this.#groups.keys();
  }

  /** @param {Uuid} room */
  isKnown(room) {
    return this.#groups.has(room);
  }

  /** The connection was lost: what happened meanwhile is to be asked for. */
  wasAway() {
    for (const group of this.#groups.values()) group.wasAway();
  }

  /** Who could not be brought in may be now. @param {Uuid} room */
  reachAgain(room) {
    this.#groups.get(room)?.reachAgain();
  }

  /** @param {Uuid} room @param {number} epoch in which its group is now */
  committed(room, epoch) {
    this.#groups.get(room)?.committed(epoch);
  }

  /** This device may be in the room's group now. @param {Uuid} room */
  welcomed(room) {
    this.#group(room).reachAgain();
  }

  /** Whether this device is in it, as the worker knows. @param {Uuid} room */
  isInside(room) {
    return this.#group(room).isInside();
  }

  /** Begins an epoch. @param {Uuid} room */
  renew(room) {
    return this.#group(room).renew();
  }

  /** How it was found last. @param {Uuid} room @returns {Look | null} */
  lookOf(room) {
    return this.#groups.get(room)?.look ?? null;
  }

  /** Whether somebody has to let this device into it first. @param {Uuid} room */
  isWaitingIn(room) {
    return this.#waiting.has(room);
  }

  /** What is wrong with the group that the server shows for it. @param {Uuid} room @returns {Wrong | null} */
  wrongIn(room) {
    return this.#waiting.get(room) ?? null;
  }

  /** The person goes on from an older state of the server's. @param {Uuid} room */
  async goBack(room) {
    await this.#group(room).goBack();
    await this.sync(room);
  }

  /** Members who wait for a person to let them in, as it was found last. @param {Uuid} room */
  atTheDoorOf(room) {
    return this.#groups.get(room)?.atTheDoor ?? [];
  }

  /** By the person's own word. @param {Uuid} room @param {readonly Uuid[]} users */
  letIn(room, users) {
    this.#group(room).letIn(users);
  }

  /**
   * Up to date.
   * @param {Uuid} room
   * @returns {Promise<Look | null>} null: this device is not in it yet
   */
  async sync(room) {
    const group = this.#group(room);
    try {
      const look = await group.sync();
      this.#synced.set(room, this.#parts.now());
      this.#wait(room, look === null, group.wrong);
      return look;
    } finally {
      this.#tell(room, group.look?.epoch);
      this.#tellDoor(room, group.atTheDoor);
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

  /** The same; a room that one has left needs nothing any more. @param {Uuid} room @returns {Promise<Look | null>} */
  async syncUnlessLeft(room) {
    try {
      return await this.sync(room);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      this.#groups.delete(room);
      this.#waiting.delete(room);
      this.#toldEpochs.delete(room);
      this.#toldDoors.delete(room);
      this.#synced.delete(room);
      this.#told.left(room);
      return null;
    }
  }

  /** @param {Uuid} room @param {boolean} isWaiting @param {Wrong | null} wrong */
  #wait(room, isWaiting, wrong) {
    if (isWaiting ? this.#waiting.get(room) === wrong : !this.#waiting.has(room)) return;
    if (isWaiting) this.#waiting.set(room, wrong);
    else this.#waiting.delete(room);
    this.#told.waiting(room);
  }

  /** @param {Uuid} room @param {number | undefined} epoch in which its group is now */
  #tell(room, epoch) {
    if (this.#toldEpochs.get(room) === epoch) return;
    this.#toldEpochs.set(room, epoch);
    this.#told.epoch(room, epoch);
  }

  /** @param {Uuid} room @param {readonly Uuid[]} users */
  #tellDoor(room, users) {
    const now = users.join(' ');
    if ((this.#toldDoors.get(room) ?? '') === now) return;
    this.#toldDoors.set(room, now);
    this.#told.door(room);
  }

  /** @param {Uuid} room */
  #group(room) {
    let group = this.#groups.get(room);
    if (!group) this.#groups.set(room, (group = new RoomGroup(room, this.#parts)));
    return group;
  }
}
