/**
 * The door of a room's group. Who is a member of the room, the server says; who comes into its group, those inside do: whoever was given the link by one of
 * them comes in by itself, as whom the person named when they made a conversation, and who was inside a moment ago under keys that changed. All others wait until the person lets
 * them in, and so does who was inside and went; into a strict room nobody comes otherwise.
 */

/** @import { Base64, Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { GroupParts } from './parts.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { usersIn } from './group.js';

/** @type {ReadonlySet<Uuid>} */
const NOBODY = new Set();

export class Door {
  #room;
  #parts;
  /** Whom the person let in, until they are here. @type {Set<Uuid>} */
  #letIn = new Set();
  /** Of whom the worker was told that the person knows of them. @type {Set<Uuid>} */
  #expected = new Set();
  /** As it was found last. @type {Uuid[]} */
  #waiting = [];
  /** What the server has of this user. @type {Base64 | null} */
  #shown = null;
  /** What stood in a link that is none. @type {Base64 | null} */
  #refused = null;
  /** Who was given a link, as it was found last, and what was asked. @type {{ asked: string, users: ReadonlySet<Uuid> }} */
  #found = { asked: '', users: NOBODY };

  /**
   * @param {Uuid} room
   * @param {GroupParts} parts
   */
  constructor(room, parts) {
    this.#room = room;
    this.#parts = parts;
  }

  /** Members who come in once a person lets them. @returns {readonly Uuid[]} */
  get waiting() {
    return this.#waiting;
  }

  /** By the person's own word. @param {readonly Uuid[]} users */
  letIn(users) {
    for (const user of users) this.#letIn.add(user);
  }

  /** This device stands outside: it shows what its user was given. */
  async show() {
    const secret = this.#parts.givenFor(this.#room);
    if (secret === null || secret === this.#refused) return;
    try {
      const { invitation } = await this.#parts.keys.ask({ op: 'show_link', secret }, 'shown');
      if (invitation === this.#shown) return;
      await this.#parts.delivery.showInvitation(this.#room, invitation);
      this.#shown = invitation;
    } catch (error) {
      // A link that is none: a person lets this one in.
      if (!isRefused(error)) throw error;
      this.#refused = secret;
    }
  }

  /** Who has come, and who belongs here no more. @param {Look} look @param {ReadonlySet<Uuid>} members of the room, as the server tells them */
  async follow(look, members) {
    const counting = countingIn(look);
    await this.#greet(counting);
    for (const user of this.#letIn) if (counting.has(user) || !members.has(user)) this.#letIn.delete(user);
    const awaited = [...this.#parts.expectedIn(this.#room), ...this.#parts.returningTo(this.#room)];
    const isSettled = (/** @type {Uuid} */ user) => counting.has(user) || !members.has(user);
    this.#parts.settled(this.#room, awaited.filter(isSettled));
    // Whose keys alone changed is not gone; into a strict room they are let in anew.
    const returning = [...usersIn(look)].filter((user) => !counting.has(user) && members.has(user));
    if (returning.length > 0 && !this.#parts.isStrict(this.#room)) this.#parts.expect(this.#room, returning);
  }

  /**
   * Which of those who are missing come in now; the others wait.
   * @param {Look} look
   * @param {readonly Uuid[]} missing
   * @param {number} changes that there were: what was found after as many still holds
   * @returns {Promise<Uuid[]>}
   */
  async admit(look, missing, changes) {
    const isStrict = this.#parts.isStrict(this.#room);
    const known = new Set([...this.#letIn, ...this.#parts.expectedIn(this.#room), ...(isStrict ? [] : this.#parts.returningTo(this.#room))]);
    const unknown = missing.filter((user) => !known.has(user));
    const invited = unknown.length === 0 || isStrict ? NOBODY : await this.#invited(look, unknown, changes);
    const now = unknown.filter((user) => !invited.has(user));
    // Who stood there first stays first, whatever order the server tells them in.
    this.#waiting = [...this.#waiting.filter((user) => now.includes(user)), ...now.filter((user) => !this.#waiting.includes(user))];
    return missing.filter((user) => !now.includes(user));
  }

  /** Whom the person let in or named is no news to them. @param {ReadonlySet<Uuid>} counting */
  async #greet(counting) {
    for (const user of this.#expected) if (!counting.has(user)) this.#expected.delete(user);
    const named = this.#parts.expectedIn(this.#room).filter((user) => !this.#expected.has(user));
    const expected = [...this.#letIn, ...named].filter((user) => counting.has(user));
    if (expected.length === 0) return;
    await this.#parts.people.greeted(this.#room, expected);
    for (const user of expected) this.#expected.add(user);
  }

  /** @param {Look} look @param {readonly Uuid[]} unknown @param {number} changes @returns {Promise<ReadonlySet<Uuid>>} */
  async #invited(look, unknown, changes) {
    const asked = [look.epoch, changes, ...unknown].join(' ');
    if (this.#found.asked === asked) return this.#found.users;
    try {
      this.#found = { asked, users: await this.#findInvited(look, unknown) };
      return this.#found.users;
    } catch (error) {
      // Whoever is inside goes on meanwhile, and asks again.
      if (error instanceof ApiError && [404, 429].includes(error.status)) return NOBODY;
      throw error;
    }
  }

  /** @param {Look} look @param {readonly Uuid[]} unknown @returns {Promise<ReadonlySet<Uuid>>} */
  async #findInvited(look, unknown) {
    // With whom a direct conversation is, stands above it: whoever made its group brings them in as long as nobody was there, and nobody does afterwards.
    if (usersIn(look).size === 1 && this.#parts.hasMade(this.#room) && (await this.#wasAlone())) return new Set(await this.#parts.shownIn(this.#room));
    const { code, shows } = await this.#parts.invitationsIn(this.#room);
    const theirs = new Map(shows.filter(({ user }) => unknown.includes(user)).map((each) => [each.user, each]));
    if (theirs.size === 0) return NOBODY;
    const { users } = await this.#parts.keys.ask({ op: 'invited', room: this.#room, code, shows: [...theirs.values()] }, 'invited');
    return new Set(users);
  }

  /** In a direct conversation. */
  async #wasAlone() {
    if ((await this.#parts.shownIn(this.#room)) === null) return false;
    const { users } = await this.#parts.keys.ask({ op: 'ever', room: this.#room }, 'ever');
    return users.length === 0;
  }
}

/** Who is inside with a device that counts. @param {Look} look @returns {Set<Uuid>} */
function countingIn({ members, stale }) {
  return new Set(members.filter(({ leaf }) => !stale.includes(leaf)).map(({ user }) => user));
}

/** By the worker or by the server, and not for the moment. @param {unknown} error */
function isRefused(error) {
  if (error instanceof KeysRefused) return error.code === 'malformed';
  return error instanceof ApiError && [400, 404, 409, 413, 422].includes(error.status);
}
