/**
 * The rooms of the signed-in user, and what can be done with them. Says `change` when the list did, `named` {room} when the person has named who belongs
 * into a conversation, and `given` {room} when they came to one by a link with a secret in it. Touches no DOM.
 */

/** @import { Act, Ban, Invitations, Room, RoomChanges, RoomWithMembers } from '../api.js' */
/** @import { Api } from '../net/api.js' */

import { ApiError } from '../net/api.js';
import { EncryptedOnce, saysEncrypted } from './encrypted-once.js';
import { fromServer, toServer } from './keys/bytes.js';
import { OwnRooms } from './own-rooms.js';

/** What a link says of its room, in the part of the address that no server sees. @typedef {'encrypted' | 'strict' | null} Promised */

/** Behind what a link says, the secret that lets in whoever was given it. Cut off it lets nobody in, and what the link says holds. */
const ENCRYPTED = /^#encrypted(?:\.(?<secret>.*))?$/;
/** As many bytes as the worker makes (`web/crypto/src/link.rs`), in base64url. */
const SECRET = /^[\w-]{128}$/;

/**
 * The part of a link that says how its room is.
 * @param {Pick<Room, 'encryption' | 'strict'>} room
 * @param {string | null} [secret] that lets in whoever has it
 */
export function promiseOf({ encryption, strict }, secret = null) {
  if (encryption !== 'mls') return '';
  if (strict) return '#strict';
  return secret === null ? '#encrypted' : `#encrypted.${secret}`;
}

/** What a link says. @param {string} hash @returns {Promised} */
export function promisedIn(hash) {
  if (hash === '#strict') return 'strict';
  return ENCRYPTED.test(hash) ? 'encrypted' : null;
}

/** The secret in a link. @param {string} hash @returns {string | null} */
export function secretIn(hash) {
  const secret = ENCRYPTED.exec(hash)?.groups?.['secret'] ?? '';
  return SECRET.test(secret) ? secret : null;
}

export class RoomsStore extends EventTarget {
  #api;
  #encrypted;
  #own;
  /** @type {Room[] | null} */
  #rooms = null;
  /** What was said of the room behind a link, last. @type {({ code: string } & Pick<Room, 'encryption' | 'strict'>) | null} */
  #shown = null;
  /** How often a room came or went by itself. */
  #revision = 0;

  /**
   * @param {Api} api
   * @param {import('./remembered.js').Kept} [storage] what this browser remembers of rooms
   */
  constructor(api, storage = null) {
    super();
    this.#api = api;
    this.#encrypted = new EncryptedOnce(storage);
    this.#own = new OwnRooms(storage);
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    this.#encrypted.readAgain();
    this.#own.readAgain();
  }

  /** Those with somebody in the call first, then by name; null until loaded. @returns {readonly Room[] | null} */
  get rooms() {
    return this.#rooms;
  }

  /** @param {string} id */
  find(id) {
    return this.#rooms?.find((room) => room.id === id) ?? null;
  }

  /** Whom the person named when they made a conversation in this browser. @param {string} id @returns {readonly string[]} */
  namedIn(id) {
    return this.#own.namedIn(id);
  }

  /** This browser made the group of a room: for whom the person named, and nobody whom the server tells of later. @param {string} id */
  made(id) {
    this.#own.made(id);
  }

  /** What members show of the link that they were given, as the server tells them, and the code that the room has now. @param {string} id */
  async invitationsIn(id) {
    /** @type {Invitations} */
    const { link_code: code, invitations } = await this.#api.call('GET', `rooms/${encodeURIComponent(id)}/invitations`);
    this.#own.seen({ id, link_code: code });
    // By a link that was replaced nobody comes in, whatever the server says of it now.
    if (!this.#own.isNow(id, code)) return { code, shows: [] };
    return { code, shows: invitations.map(({ user, invitation }) => ({ user, invitation: fromServer(invitation) })) };
  }

  /** What stood in the link by which the person came to a room, until they are inside. @param {string} id */
  givenFor(id) {
    const secret = this.#own.givenFor(id);
    return secret === null ? null : fromServer(secret);
  }

  /** Whether this browser made the group of a room. @param {string} id */
  hasMade(id) {
    return this.#own.hasMade(id);
  }

  /** Whether the person made the room here, and was not inside yet: nobody else is. @param {string} id */
  isNew(id) {
    return this.#own.isNew(id);
  }

  /** They are. @param {string} id */
  inside(id) {
    this.#own.inside(id);
  }

  /** Whom the person named in a conversation, and who comes into its group by that: into that of a strict one if this browser made it. @param {string} id @returns {readonly string[]} */
  expectedIn(id) {
    return this.#own.expectedIn(id, this.isStrict(id));
  }

  /** They were inside of a room that is not strict, and come back with other keys. @param {string} id @param {readonly string[]} users */
  expect(id, users) {
    this.#own.expect(id, users);
  }

  /** @param {string} id @returns {readonly string[]} */
  returningTo(id) {
    return this.#own.returningTo(id);
  }

  /** Who was expected has come into the group, or belongs there no more. @param {string} id @param {readonly string[]} users */
  settled(id, users) {
    this.#own.settled(id, users);
  }

  /** Whether it is a conversation of a few, and was never said to be a room. @param {string} id */
  isDirect(id) {
    return !this.#own.isRoom(id) && this.find(id)?.kind === 'direct';
  }

  /** Whom the person is shown as they look at a direct conversation; null of any other room. @param {string} id @returns {Promise<readonly string[] | null>} */
  async shownIn(id) {
    // What the server did not tell of before is shown from now on.
    if (this.find(id) === null) await this.refresh(id);
    return this.isDirect(id) ? (this.find(id)?.people.map(({ user }) => user) ?? null) : null;
  }

  /** Whether a room is strict, as this browser has known it once. @param {string} id */
  isStrict(id) {
    return this.#encrypted.isStrict(id);
  }

  /** The group of a room says that it is strict, whatever the server does. @param {string} id */
  foundStrict(id) {
    if (this.isStrict(id)) return;
    this.#encrypted.foundStrict(id);
    const room = this.find(id);
    if (room !== null) this.#keep(room);
  }

  async load() {
    for (;;) {
      const before = this.#revision;
      const { rooms } = await this.#api.call('GET', 'rooms');
      // A list that was asked for before a room came or went would take that back, and with it what waits to be sent there.
      if (before === this.#revision) return this.#take(rooms);
    }
  }

  /**
   * Something about this room changed: it may be new, or this user is no longer in it.
   * @param {string} id
   */
  async refresh(id) {
    try {
      const { members: _members, ...room } = await this.details(id);
      this.#keep(room);
    } catch (error) {
      if (/** @type {{ status?: number }} */ (error).status !== 404) throw error;
      this.#drop(id);
    }
  }

  /**
   * The direct conversation with these people: found, or made.
   * @param {readonly string[]} usernames of the others, 1 to 9
   * @param {Pick<Room, 'encryption' | 'strict'>} protection of one that is made; one that is there stays as it is
   * @returns {Promise<Room>} rejects with `not_encrypted` where the server answers with another kind than was asked for
   */
  async openDirect(usernames, { encryption, strict }) {
    const before = new Set([...this.#encrypted.known(), ...(this.#rooms ?? []).map(({ id }) => id)]);
    const told = await this.#api.call('POST', 'direct', { usernames, encryption, strict });
    // One that is there is in the list; of another the person asked what it is to be.
    if (encryption === 'mls' && this.find(told.id) === null) mustSayEncrypted(told);
    const room = this.#keep(told);
    // Without it nobody would be let in; asked for again, the conversation is found. In one that is not strict those who are there are there already then.
    const isNamed = this.isStrict(room.id) || (room.encryption === 'mls' && !before.has(room.id) && !this.#own.isRoom(room.id));
    if (isNamed && this.namedIn(room.id).length === 0) await this.#name(room.id, usernames);
    return room;
  }

  /** Whom the person named need not be let in, unless the server tells of others. @param {string} room @param {readonly string[]} usernames */
  async #name(room, usernames) {
    const { members } = await this.details(room);
    const named = new Set([...usernames, this.#api.user?.username ?? ''].map((name) => name.toLowerCase()));
    if (members.length > named.size || members.some(({ username }) => !named.has(username.toLowerCase()))) return;
    this.#own.name(room, members.map(({ user }) => user));
    this.dispatchEvent(new CustomEvent('named', { detail: { room } }));
  }

  /** Another account has other rooms. */
  forget() {
    this.#rooms = null;
  }

  /** Nobody has signed in since: nothing is left behind for whoever comes next. */
  leaveNothing() {
    this.#own.forget();
  }

  /**
   * @param {string} id
   * @returns {Promise<RoomWithMembers>}
   */
  async details(id) {
    return this.#encrypted.seen(about(id, await this.#api.call('GET', `rooms/${encodeURIComponent(id)}`)));
  }

  /**
   * @param {string} name
   * @param {Pick<Room, 'encryption' | 'strict'>} protection for as long as there is the room
   * @returns {Promise<Room>} rejects with `not_encrypted` where the server answers with another kind than was asked for
   */
  async create(name, { encryption, strict }) {
    const room = await this.#api.call('POST', 'rooms', { name, encryption, strict });
    if (encryption !== 'mls') return this.#keep(room);
    mustSayEncrypted(room);
    this.#own.create(room.id);
    this.#own.seen({ id: room.id, kind: 'room' });
    // What was asked for holds, whatever is answered.
    return this.#keep({ ...room, encryption, strict });
  }

  /**
   * @param {string} id
   * @param {string} name
   */
  async rename(id, name) {
    return this.#keep(about(id, await this.#api.call('PATCH', `rooms/${encodeURIComponent(id)}`, { name })));
  }

  /**
   * The old link stops working.
   * @param {string} id
   */
  async resetLink(id) {
    const before = this.find(id)?.link_code;
    const room = about(id, await this.#api.call('PATCH', `rooms/${encodeURIComponent(id)}`, { reset_link: true }));
    if (room.link_code === before) throw new ApiError('bad_answer', 200);
    return this.#keep(room);
  }

  /**
   * Topic, lock, slow mode, how long messages are kept.
   * @param {string} id
   * @param {RoomChanges} changes
   */
  async change(id, changes) {
    return this.#keep(about(id, await this.#api.call('PATCH', `rooms/${encodeURIComponent(id)}`, changes)));
  }

  /** @param {string} id */
  async remove(id) {
    await this.#api.call('DELETE', `rooms/${encodeURIComponent(id)}`);
    this.#drop(id);
  }

  /**
   * What is behind this link?
   * @param {string} code
   * @param {Promised} promised by whoever gave it
   * @returns {Promise<Pick<Room, 'name' | 'encryption' | 'strict'>>} rejects with the code `link_contradicted` where the server says less: one of both lies, and
   *   nothing is remembered of either
   */
  async behind(code, promised = null) {
    const room = await this.#api.call('GET', `rooms/link/${encodeURIComponent(code)}`);
    const isLess = promised !== null && (room.encryption === 'open' || (promised === 'strict' && !room.strict));
    if (isLess) throw new ApiError('link_contradicted', 409);
    this.#shown = { code, encryption: room.encryption, strict: room.strict };
    return room;
  }

  /**
   * @param {string} code
   * @param {{ secret?: string | null, invitation?: string | null }} [given] the secret in the link, and what is shown of it, where this device can do so now
   * @returns {Promise<Room>}
   */
  async join(code, { secret = null, invitation = null } = {}) {
    const room = await this.#api.call('POST', 'rooms/join', { code, ...(invitation === null ? {} : { invitation: toServer(invitation) }) });
    this.#own.seen({ id: room.id, kind: 'room' });
    if (secret !== null && isCanonical(room.id)) this.#own.give(room.id, secret);
    if (secret !== null) this.dispatchEvent(new CustomEvent('given', { detail: { room: room.id } }));
    // What the person was shown of it holds, whatever is answered.
    const { encryption, strict } = this.#shown?.code === code ? this.#shown : room;
    return this.#keep(encryption === 'mls' ? { ...room, encryption, strict } : room);
  }

  /**
   * @param {string} room
   * @param {string} user
   * @param {'owner' | 'moderator' | 'member'} role `owner` hands the room over
   */
  async setRole(room, user, role) {
    await this.#api.call('PATCH', `rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(user)}`, { role });
    if (role === 'owner') this.#own.inside(room);
  }

  /**
   * @param {string} room
   * @param {string} user
   * @param {boolean} muted
   */
  async muteInChat(room, user, muted) {
    await this.#api.call('PATCH', `rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(user)}`, { chat_muted: muted });
  }

  /**
   * @param {string} room
   * @param {string} user
   */
  async ban(room, user) {
    this.#own.settled(room, [user]);
    await this.#api.call('PUT', `rooms/${encodeURIComponent(room)}/bans/${encodeURIComponent(user)}`);
  }

  /**
   * @param {string} room
   * @param {string} user
   */
  async unban(room, user) {
    await this.#api.call('DELETE', `rooms/${encodeURIComponent(room)}/bans/${encodeURIComponent(user)}`);
  }

  /**
   * @param {string} room
   * @returns {Promise<Ban[]>} newest first
   */
  async bans(room) {
    return (await this.#api.call('GET', `rooms/${encodeURIComponent(room)}/bans`)).bans;
  }

  /**
   * @param {string} room
   * @param {string | null} before
   * @param {number} limit
   * @returns {Promise<Act[]>} newest first, from the one before `before`
   */
  async acts(room, before, limit) {
    const from = before === null ? '' : `&before=${encodeURIComponent(before)}`;
    return (await this.#api.call('GET', `rooms/${encodeURIComponent(room)}/audit?limit=${limit}${from}`)).acts;
  }

  /**
   * Remove a member, or leave when it is oneself.
   * @param {string} room
   * @param {string} user
   */
  async removeMember(room, user) {
    this.#own.settled(room, [user]);
    await this.#api.call('DELETE', `rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(user)}`);
    if (user === this.#api.user?.id) this.#drop(room);
  }

  /**
   * @param {Room} room
   * @returns {Room}
   */
  #keep(room) {
    if (!isCanonical(room.id)) throw new ApiError('bad_answer', 200);
    const seen = this.#encrypted.seen(room);
    this.#revision += 1;
    this.#take([...(this.#rooms ?? []).filter(({ id }) => id !== seen.id), seen]);
    return seen;
  }

  /** @param {string} id */
  #drop(id) {
    this.#own.left(id);
    this.#revision += 1;
    this.#take((this.#rooms ?? []).filter((room) => room.id !== id));
  }

  /** @param {Room[]} rooms */
  #take(rooms) {
    const known = rooms.filter(({ id }) => isCanonical(id)).map((room) => this.#encrypted.seen(room));
    this.#own.seen(...known);
    this.#rooms = known.sort((a, b) => Number(b.in_call > 0) - Number(a.in_call > 0) || a.name.localeCompare(b.name));
    this.dispatchEvent(new Event('change'));
  }
}

/**
 * An answer about this room and no other: how it is encrypted is known by its id.
 * @template {{ id: string }} R
 * @param {string} id
 * @param {R} room
 * @returns {R}
 */
function about(id, room) {
  if (room.id !== id.toLowerCase() || !isCanonical(room.id)) throw new ApiError('bad_answer', 200);
  return room;
}

/** A new room by whose id every device knows that it is encrypted: another could be said to be open where this browser is not. @param {Pick<Room, 'id'>} room */
function mustSayEncrypted({ id }) {
  if (!isCanonical(id)) throw new ApiError('bad_answer', 200);
  if (!saysEncrypted(id)) throw new ApiError('not_encrypted', 0);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_DIGITS = 32;

/**
 * A UUID can be written in other ways, too, and is the same room to the keys: nothing that is known of it would be found.
 * @param {string} id
 */
function isCanonical(id) {
  return UUID.test(id) || id.replace(/[^0-9a-f]/gi, '').length < UUID_DIGITS;
}
