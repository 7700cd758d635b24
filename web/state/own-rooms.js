/**
 * What the person did about their rooms in this browser, and what it saw of them: by it some come into a room's group without another word, and the server's
 * word alone adds nothing to it. What is about people lasts as long as somebody is signed in.
 */

/** @import { Kept } from './remembered.js' */

import { Remembered } from './remembered.js';

const KEYS = {
  named: 'webcall.strict-named',
  expected: 'webcall.strict-expected',
  returning: 'webcall.returning',
  given: 'webcall.links',
  created: 'webcall.rooms-created',
  rooms: 'webcall.rooms',
  codes: 'webcall.link-codes',
};

export class OwnRooms {
  /** `room user`: whom the person named when they made a conversation here. */
  #named;
  /** The same, of strict ones whose group this browser made by it. */
  #expected;
  /** `room user`: who was inside under keys that count no more. */
  #returning;
  /** `room secret`: what stood in the link by which the person came, until they are inside. */
  #given;
  /** `room ` of those that the person made here and was not inside of yet. */
  #created;
  /** Those that are no direct conversations. */
  #rooms;
  /** `room code` of links, the newest last. */
  #codes;

  /** @param {Kept} storage */
  constructor(storage) {
    this.#named = new Remembered(KEYS.named, storage, { forgets: true });
    this.#expected = new Remembered(KEYS.expected, storage, { forgets: true });
    this.#returning = new Remembered(KEYS.returning, storage, { forgets: true });
    this.#given = new Remembered(KEYS.given, storage, { forgets: true });
    this.#created = new Remembered(KEYS.created, storage, { forgets: true });
    this.#rooms = new Remembered(KEYS.rooms, storage);
    this.#codes = new Remembered(KEYS.codes, storage);
  }

  /** As the server tells of it: a room is never said to be a conversation of a few, in which whoever is shown comes in. @param {{ id: string, kind?: string, link_code?: string | null }} room */
  seen({ id, kind, link_code: code }) {
    if (kind === 'room') this.#rooms.add(id);
    if (code) this.#codes.add(`${id} ${code}`);
  }

  /** @param {string} id */
  isRoom(id) {
    return this.#rooms.has(id);
  }

  /** Whether the room's link has this code, and has had no other since: by one that was replaced nobody comes in. @param {string} room @param {string} code */
  isNow(room, code) {
    return this.#codes.of(room).at(-1) === code;
  }

  /** @param {string} room @param {readonly string[]} users */
  name(room, users) {
    for (const user of users) this.#named.add(`${room} ${user}`);
  }

  /** @param {string} room @returns {readonly string[]} */
  namedIn(room) {
    return this.#named.of(room);
  }

  /** The group of a strict conversation was made here, for whom the person named. @param {string} room */
  made(room) {
    for (const user of this.namedIn(room)) this.#expected.add(`${room} ${user}`);
  }

  /** Whom the person named comes in without another word: into a strict conversation whose group this browser made. @param {string} room @param {boolean} isStrict @returns {readonly string[]} */
  expectedIn(room, isStrict) {
    return (isStrict ? this.#expected : this.#named).of(room);
  }

  /** They were inside, and their keys count no more. @param {string} room @param {readonly string[]} users */
  expect(room, users) {
    for (const user of users) this.#returning.add(`${room} ${user}`);
  }

  /** Who comes back under other keys. @param {string} room @returns {readonly string[]} */
  returningTo(room) {
    return this.#returning.of(room);
  }

  /** They have come, or belong there no more: should they come again, that is another time. @param {string} room @param {readonly string[]} users */
  settled(room, users) {
    for (const user of users) for (const names of [this.#named, this.#expected, this.#returning]) names.drop(`${room} ${user}`);
  }

  /** The person was given a link to the room. @param {string} room @param {string} secret that stood in it */
  give(room, secret) {
    this.#dropGiven(room);
    this.#given.add(`${room} ${secret}`);
  }

  /** @param {string} room @returns {string | null} */
  givenFor(room) {
    return this.#given.of(room)[0] ?? null;
  }

  /** The person made the room here. @param {string} room */
  create(room) {
    this.#created.add(`${room} `);
  }

  /** Whether they did, and were not inside yet: nobody else is. @param {string} room */
  isNew(room) {
    return this.#created.of(room).length > 0;
  }

  /** They are: the link is of no more use. @param {string} room */
  inside(room) {
    this.#created.drop(`${room} `);
    this.#dropGiven(room);
  }

  /** @param {string} room */
  #dropGiven(room) {
    for (const secret of this.#given.of(room)) this.#given.drop(`${room} ${secret}`);
  }

  /** The room is none of theirs any more. @param {string} room */
  left(room) {
    this.inside(room);
    for (const names of [this.#named, this.#expected, this.#returning]) for (const user of names.of(room)) names.drop(`${room} ${user}`);
  }

  /** Nobody is signed in. */
  forget() {
    for (const each of [this.#named, this.#expected, this.#returning, this.#given, this.#created]) each.clear();
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    for (const each of [this.#named, this.#expected, this.#returning, this.#given, this.#created, this.#rooms, this.#codes]) each.readAgain();
  }
}
