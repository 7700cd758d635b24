/**
 * What the person did about their rooms in this browser, and what it saw of them: by it some come into a room's group without another word, and the server's
 * word alone adds nothing to it. Whoever signs out leaves no link behind.
 */

/** @import { Kept } from './remembered.js' */

import { Remembered } from './remembered.js';

const KEYS = {
  named: 'webcall.strict-named',
  expected: 'webcall.strict-expected',
  returning: 'webcall.returning',
  given: 'webcall.links',
  created: 'webcall.rooms-created',
  groups: 'webcall.groups-made',
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
  /** `room ` of those whose group this browser made. */
  #groups;
  /** Those that are no direct conversations. */
  #rooms;
  /** `room code` of links to encrypted rooms, the newest last. */
  #codes;

  /** @param {Kept} storage */
  constructor(storage) {
    this.#named = new Remembered(KEYS.named, storage, { forgets: true });
    this.#expected = new Remembered(KEYS.expected, storage, { forgets: true });
    this.#returning = new Remembered(KEYS.returning, storage, { forgets: true });
    this.#given = new Remembered(KEYS.given, storage, { forgets: true });
    this.#created = new Remembered(KEYS.created, storage, { forgets: true });
    this.#rooms = new Remembered(KEYS.rooms, storage);
    this.#groups = new Remembered(KEYS.groups, storage, { forgets: true });
    this.#codes = new Remembered(KEYS.codes, storage, { forgets: true });
  }

  /** As the server tells of them: a room is never said to be a conversation of a few, in which whoever is shown comes in. @param {readonly { id: string, encryption?: string, kind?: string, link_code?: string | null }[]} rooms */
  seen(...rooms) {
    const encrypted = rooms.filter(({ encryption }) => encryption !== 'open');
    this.#rooms.add(...encrypted.filter(({ kind }) => kind === 'room').map(({ id }) => id));
    this.#codes.add(...encrypted.flatMap(({ id, link_code: code }) => (code ? [`${id} ${code}`] : [])));
  }

  /** @param {string} id */
  isRoom(id) {
    return this.#rooms.has(id);
  }

  /** Whether the room's link has this code, and has had no other since: by one that was replaced nobody comes in. @param {string} room @param {string} code */
  isNow(room, code) {
    return this.#codes.of(room).at(-1) === code && !this.#codes.isFull;
  }

  /** @param {string} room @param {readonly string[]} users */
  name(room, users) {
    for (const user of users) this.#named.add(`${room} ${user}`);
  }

  /** @param {string} room @returns {readonly string[]} */
  namedIn(room) {
    return this.#named.of(room);
  }

  /** The group of a room was made here; of a strict conversation, for whom the person named. @param {string} room */
  made(room) {
    this.#groups.add(`${room} `);
    for (const user of this.namedIn(room)) this.#expected.add(`${room} ${user}`);
  }

  /** Whether it was made here. @param {string} room */
  hasMade(room) {
    return this.#groups.of(room).length > 0;
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

  /** The room is none of theirs any more, as the server says. @param {string} room */
  left(room) {
    this.#dropGiven(room);
    for (const names of [this.#named, this.#expected, this.#returning]) for (const user of names.of(room)) names.drop(`${room} ${user}`);
  }

  /** Nobody is signed in: what a link or its code would give to whoever comes next is gone. */
  forget() {
    for (const each of [this.#returning, this.#given, this.#groups, this.#codes]) each.clear();
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    for (const each of [this.#named, this.#expected, this.#returning, this.#given, this.#created, this.#groups, this.#rooms, this.#codes]) each.readAgain();
  }
}
