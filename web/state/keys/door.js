/**
 * The door of a room's group. Who is a member of the room, the server says; who comes into its group, those inside do: whoever was given the link by one of
 * them comes in by itself, as whom the person named when they made a conversation. All others wait until the person lets them in; into a strict room
 * nobody comes otherwise.
 */

/** @import { Base64, Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { GroupParts } from './parts.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { usersIn } from './group.js';

export class Door {
  #room;
  #parts;
  /** Whom the person let in, until they are here. @type {Set<Uuid>} */
  #letIn = new Set();
  /** Of whom the worker was told that the person knows of them. @type {Set<Uuid>} */
  #expected = new Set();
  /** As it was found last. @type {Uuid[]} */
  #waiting = [];
  /** What stood in the link, once the server has what is shown of it. @type {Base64 | null} */
  #shown = null;

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
    if (secret === null || secret === this.#shown) return;
    try {
      const { invitation } = await this.#parts.keys.ask({ op: 'show_link', secret }, 'shown');
      await this.#parts.delivery.showInvitation(this.#room, invitation);
    } catch (error) {
      // A link that is none: a person lets this one in.
      if (!isRefused(error)) throw error;
    }
    this.#shown = secret;
  }

  /**
   * Which of those who are missing come in now; the others wait.
   * @param {Look} look
   * @param {ReadonlySet<Uuid>} members of the room
   * @param {readonly Uuid[]} missing
   * @returns {Promise<Uuid[]>}
   */
  async admit(look, members, missing) {
    const [counting, isStrict] = [countingIn(look), this.#parts.isStrict(this.#room)];
    await this.#greet(counting);
    this.#follow(look, counting, members);
    const known = new Set([...this.#letIn, ...this.#parts.expectedIn(this.#room)]);
    const unknown = missing.filter((user) => !known.has(user));
    const invited = unknown.length === 0 || isStrict ? new Set() : await this.#invited(usersIn(look), unknown);
    const now = unknown.filter((user) => !invited.has(user));
    // Who stood there first stays first, whatever order the server tells them in.
    this.#waiting = [...this.#waiting.filter((user) => now.includes(user)), ...now.filter((user) => !this.#waiting.includes(user))];
    return missing.filter((user) => !now.includes(user));
  }

  /** Whoever leaves and comes back is let in anew; whose keys alone changed is expected back, but in a strict room. @param {Look} look @param {ReadonlySet<Uuid>} counting @param {ReadonlySet<Uuid>} members */
  #follow({ members: leaves }, counting, members) {
    for (const user of this.#letIn) if (counting.has(user) || !members.has(user)) this.#letIn.delete(user);
    this.#parts.cameIn(this.#room, this.#parts.expectedIn(this.#room).filter((user) => !members.has(user)));
    const returning = leaves.map(({ user }) => user).filter((user) => !counting.has(user) && members.has(user));
    if (returning.length > 0 && !this.#parts.isStrict(this.#room)) this.#parts.expect(this.#room, returning);
  }

  /** Whom the person let in or named is no news to them. @param {ReadonlySet<Uuid>} counting */
  async #greet(counting) {
    for (const user of this.#expected) if (!counting.has(user)) this.#expected.delete(user);
    const named = this.#parts.expectedIn(this.#room).filter((user) => !this.#expected.has(user));
    const expected = [...this.#letIn, ...named].filter((user) => counting.has(user));
    if (expected.length === 0) return;
    await this.#parts.people.greeted(this.#room, expected);
    for (const user of expected) this.#expected.add(user);
    this.#parts.cameIn(this.#room, expected);
  }

  /** @param {ReadonlySet<Uuid>} present @param {readonly Uuid[]} unknown @returns {Promise<Set<Uuid>>} */
  async #invited(present, unknown) {
    // With whom a direct conversation is, stands above it: whoever is alone in it brings them in, and nobody does afterwards.
    const shown = present.size === 1 ? await this.#parts.shownIn(this.#room) : null;
    if (shown !== null) return new Set(shown);
    const { code, shows } = await this.#parts.invitationsIn(this.#room);
    const theirs = shows.filter(({ user }) => unknown.includes(user));
    if (theirs.length === 0) return new Set();
    const { users } = await this.#parts.keys.ask({ op: 'invited', room: this.#room, code, shows: theirs }, 'invited');
    return new Set(users);
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
