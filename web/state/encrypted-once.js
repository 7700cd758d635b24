/**
 * Rooms that are encrypted by their id, and those that this browser has seen encrypted, and strict: who comes in, members say, and who speaks, nobody
 * tells the server. Nothing changes how a room is encrypted, so one that was stays so, whatever a server says later: it could read or listen along
 * otherwise, and nobody would notice. What was seen lives in localStorage; where that is refused, as long as the page.
 */

const ENCRYPTED = 'webcall.encrypted-rooms';
const STRICT = 'webcall.strict-rooms';
const NAMED = 'webcall.strict-named';
const EXPECTED = 'webcall.strict-expected';
const GIVEN = 'webcall.links';
/** Far more than a person has. When they are full every room counts: a server that invents some can take nothing away by that. */
const MAX_ROOMS = 4_000;

/** The digit of a UUID in which its version stands (RFC 9562 §4.1). */
const VERSION_AT = 14;

/**
 * Whether a room's id says that it is encrypted: of version 8 (`src/id.rs`). Those made before ids said it are of version 7, as open ones.
 * @param {string} room
 */
export const saysEncrypted = (room) => room[VERSION_AT] === '8';

export class EncryptedOnce {
  #encrypted;
  #strict;
  /** `room user`: whom the person named when they made a conversation here. */
  #named;
  /** The same, of those whose group this browser made by it. */
  #expected;
  /** `room secret`: what stood in the link by which the person came, until they are inside. */
  #given;

  /** @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage */
  constructor(storage) {
    this.#encrypted = new Remembered(ENCRYPTED, storage);
    this.#strict = new Remembered(STRICT, storage);
    this.#named = new Remembered(NAMED, storage);
    this.#expected = new Remembered(EXPECTED, storage);
    this.#given = new Remembered(GIVEN, storage);
  }

  /**
   * A room as the server tells it, encrypted and strict as this browser knows it. Whatever is not said to be open is not.
   * @template {{ id: string, encryption: import('../protocol.js').Encryption, strict?: boolean }} R
   * @param {R} room
   * @returns {R}
   */
  seen(room) {
    if (room.encryption !== 'open') this.#encrypted.add(room.id);
    if (room.strict === true) this.#strict.add(room.id);
    if (room.encryption === 'open' && !saysEncrypted(room.id) && !this.#encrypted.has(room.id)) return room;
    return { ...room, encryption: 'mls', strict: this.#strict.has(room.id) };
  }

  /** Its keys say so. @param {string} room */
  foundStrict(room) {
    this.#encrypted.add(room);
    this.#strict.add(room);
  }

  /** @param {string} room */
  isStrict(room) {
    return this.#strict.has(room);
  }

  /** @param {string} room @param {readonly string[]} users */
  name(room, users) {
    for (const user of users) this.#named.add(`${room} ${user}`);
  }

  /** @param {string} room @returns {readonly string[]} */
  namedIn(room) {
    return this.#named.of(room);
  }

  /** Its group was made here, for whom the person named. @param {string} room */
  made(room) {
    for (const user of this.namedIn(room)) this.#expected.add(`${room} ${user}`);
  }

  /** They have come: should they leave and come again, that is another time. @param {string} room @param {readonly string[]} users */
  cameIn(room, users) {
    for (const user of users) for (const names of [this.#named, this.#expected]) names.drop(`${room} ${user}`);
  }

  /** Who comes into its group without another word. @param {string} room @returns {readonly string[]} */
  expectedIn(room) {
    return this.#expected.of(room);
  }

  /** The person was given a link to the room. @param {string} room @param {string} secret that stood in it */
  give(room, secret) {
    this.inside(room);
    this.#given.add(`${room} ${secret}`);
  }

  /** @param {string} room @returns {string | null} */
  givenFor(room) {
    return this.#given.of(room)[0] ?? null;
  }

  /** They are: the link is of no more use. @param {string} room */
  inside(room) {
    for (const secret of this.#given.of(room)) this.#given.drop(`${room} ${secret}`);
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    this.#encrypted.readAgain();
    this.#strict.readAgain();
    this.#named.readAgain();
    this.#expected.readAgain();
    this.#given.readAgain();
  }
}

/** Rooms, or others, of which something was true once. */
class Remembered {
  #key;
  #storage;
  /** @type {Set<string>} */
  #rooms;

  /** @param {string} key @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage */
  constructor(key, storage) {
    this.#key = key;
    this.#storage = storage;
    this.#rooms = new Set(read(storage, key));
  }

  /** The others of those that are `room other`, whichever window learned of them. @param {string} room @returns {string[]} */
  of(room) {
    this.readAgain();
    const start = `${room} `;
    return [...this.#rooms].filter((each) => each.startsWith(start)).map((each) => each.slice(start.length));
  }

  /** @param {string} room */
  has(room) {
    return this.#rooms.has(room) || this.#rooms.size >= MAX_ROOMS;
  }

  readAgain() {
    this.#rooms = new Set([...this.#rooms, ...read(this.#storage, this.#key)].slice(0, MAX_ROOMS));
  }

  /** @param {string} room */
  drop(room) {
    this.readAgain();
    if (this.#rooms.delete(room)) this.#keep();
  }

  /** @param {string} room */
  add(room) {
    if (this.has(room)) return;
    this.readAgain();
    this.#rooms.add(room);
    this.#keep();
  }

  #keep() {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify([...this.#rooms]));
    } catch {
      // Full or forbidden: remembered as long as the page.
    }
  }
}

/** @param {Pick<Storage, 'getItem'> | null} storage @param {string} key @returns {string[]} */
function read(storage, key) {
  try {
    const kept = JSON.parse(storage?.getItem(key) ?? '[]');
    return Array.isArray(kept) ? kept.filter((room) => typeof room === 'string') : [];
  } catch {
    return [];
  }
}
