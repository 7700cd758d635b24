/**
 * The group of a room: every device of every member is in it, and nobody else. Whoever is here first makes it; members bring in those who are
 * missing and take out those who left or no longer count, the first of them in the tree before the others. Whom they bring in, the door says
 * (`door.js`): who is a member, only the server does. That a room is strict stands in its group, and is believed before the server.
 */

/** @import { Base64, Look, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { GroupParts } from './parts.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { Door } from './door.js';
import { Group, usersIn } from './group.js';
import { oneAtATime, turnMs } from './parts.js';

/** Users that are brought in by one commit; each has at most 16 devices (`trust`), and a commit takes 256. */
const USERS_AT_ONCE = 16;
/** Commits of one tidying: the rest is for the next. */
const MAX_COMMITS = 20;
/** Others may be faster at making the group, or at coming in, this often in a row. */
const MAX_TRIES = 10;
/** Between two such tries, and longer each time. */
const AGAIN_MS = 100;
/** Refusals of those who have no device in the group, by the server or by the worker. */
const UNINVITED = new Set(['uninvited', 'identity_changed', 'not_vouched']);

/**
 * `not_strict`: the room is, and the group does not say so; `rolled_back`: it has not come to where this device has seen it; `not_ours`: the person has just
 * made the room, and others are in its group already.
 * @typedef {'not_strict' | 'rolled_back' | 'not_ours'} Wrong
 */

export class RoomGroup {
  #room;
  #parts;
  #group;
  /** Whoever has no key package, or one that the worker refuses, is not asked for again before something changes. @type {Set<Uuid>} */
  #unreachable = new Set();
  #door;
  /** The server let this device not come in by itself: it waits for a welcome, and asks again when something has changed. */
  #isUninvited = false;
  /** What is wrong with the group that the server shows for it. @type {Wrong | null} */
  #wrong = null;
  /** How often something has changed: an answer to what was asked before says nothing of after. */
  #changes = 0;
  /** Ends the wait for this device's turn. @type {(epoch: number) => void} */
  #followTo = () => {};
  /** It is known that this device is inside. */
  #isSettled = false;
  /** As much was sealed in its epoch as may be. */
  #isWornOut = false;
  /** @type {Look | null} */
  #look = null;
  #sync = oneAtATime(() => this.#parts.exclusively(`webcall-group-${this.#room}`, () => this.#run()));

  /**
   * @param {Uuid} room
   * @param {GroupParts} parts
   */
  constructor(room, parts) {
    this.#room = room;
    this.#parts = parts;
    this.#door = new Door(room, parts);
    const follow = (/** @type {Look} */ look) => void (this.#look = look);
    this.#group = new Group({ kind: 'room', id: room }, parts.keys, parts.delivery, follow, (user) => parts.harmed(room, user));
  }

  /** As of the last `sync`; null: this device is not in it. */
  get look() {
    return this.#look;
  }

  /** As of the last `sync`. */
  get wrong() {
    return this.#wrong;
  }

  /** The person goes on from what the server has, though this device has seen more: the next `sync` comes in anew. */
  async goBack() {
    await this.#parts.exclusively(`webcall-group-${this.#room}`, () => this.#group.goBack());
    this.reachAgain();
  }

  /** Members who come in once a person lets them, as of the last `sync`. @returns {readonly Uuid[]} */
  get atTheDoor() {
    return this.#door.waiting;
  }

  /** By the person's own word. @param {readonly Uuid[]} users */
  letIn(users) {
    this.#door.letIn(users);
    this.reachAgain();
  }

  /** Whether this device is in it, as far as it knows by itself. */
  async isInside() {
    return (await this.#group.look()) !== null;
  }

  /** Commits may have been made meanwhile by devices that count no more. */
  wasAway() {
    this.#group.wasAway();
  }

  /** @param {number} epoch in which it is now */
  committed(epoch) {
    this.#followTo(epoch);
  }

  /** Somebody came, left, or published keys: who could not be reached may be now, and this device may come in. */
  reachAgain() {
    this.#changes += 1;
    this.#unreachable.clear();
    this.#isUninvited = false;
    this.#group.tryAgain();
  }

  /**
   * Brings this device and the group up to date.
   * @returns {Promise<Look | null>} null: this device is not in it, and waits to be brought in by another
   */
  sync() {
    return this.#sync();
  }

  /** Begins an epoch, though nobody comes or goes. @returns {Promise<Look | null>} */
  renew() {
    this.#isWornOut = true;
    return this.sync();
  }

  async #run() {
    let look = await this.#group.current((users) => this.#learn(users));
    if (look !== null) this.#wrong = null;
    if (look !== null && this.#group.isAhead) {
      [this.#look, this.#wrong] = [null, 'rolled_back'];
      return null;
    }
    for (let tries = 0; look === null && !this.#isUninvited && tries < MAX_TRIES; tries += 1) {
      if (tries > 0) await this.#parts.pause(AGAIN_MS * tries);
      await this.#meet();
      if ((await this.#comeIn()) === null) continue;
      look = await this.#group.current((users) => this.#learn(users));
    }
    // Nothing is said in it, and nobody brought in.
    if (look !== null && !look.strict && this.#parts.isStrict(this.#room)) [look, this.#wrong] = [null, 'not_strict'];
    if (look !== null && usersIn(look).size > 1 && this.#parts.isNew(this.#room)) [look, this.#wrong] = [null, 'not_ours'];
    if (look !== null && !this.#isSettled) this.#parts.inside(this.#room);
    this.#isSettled = look !== null;
    look = look && (await this.#tidy(look));
    if (look !== null && this.#isWornOut) {
      look = await this.#change([], [], []);
      this.#isWornOut = false;
    }
    this.#look = look;
    return look;
  }

  /** Who is there already is no news, but for whoever is not shown in a conversation of a few. Before this device is inside: afterwards a server could keep the person from being told. */
  async #meet() {
    const shown = await this.#parts.shownIn(this.#room);
    if (shown !== null && !this.#parts.isStrict(this.#room)) await this.#parts.people.meets(this.#room, shown);
  }

  /** @returns {Promise<Look | null>} null: another was faster, or this device is not let in */
  async #comeIn() {
    const changes = this.#changes;
    this.#wrong = null;
    await this.#learn();
    // By itself this device comes in from now on only.
    if (await this.#parts.welcomed(this.#room)) return this.#group.look();
    await this.#door.show();
    try {
      const info = await this.#parts.delivery.info({ kind: 'room', id: this.#room });
      if (info !== null) return await this.#group.enter(null, info, this.#parts.isStrict(this.#room));
      if (this.#parts.mayMake(this.#room)) return await this.#make();
      this.#isUninvited = changes === this.#changes;
      return null;
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'not_strict') {
        [this.#wrong, this.#isUninvited] = ['not_strict', changes === this.#changes];
        return null;
      }
      // Only who has a device in the group already comes in by itself; others are brought in. Nor does anybody while somebody is in the tree
      // whom this device cannot know, for they share the room no more: members take them out first.
      if (!(error instanceof ApiError || error instanceof KeysRefused) || !UNINVITED.has(error.code)) throw error;
      const made = await this.#makeAnew();
      if (made === null) this.#isUninvited = changes === this.#changes;
      return made;
    }
  }

  /** Where nobody counts any more of those who are in the group, the server takes a new one in its place. @returns {Promise<Look | null>} */
  async #makeAnew() {
    if (this.#parts.isStrict(this.#room) && !this.#parts.mayMake(this.#room)) return null;
    try {
      return await this.#make();
    } catch (error) {
      // This device was in the old one.
      if (error instanceof KeysRefused && error.code === 'known_group') return null;
      throw error;
    }
  }

  /** @returns {Promise<Look | null>} null: another was faster */
  async #make() {
    const made = await this.#group.create(null, this.#parts.isStrict(this.#room));
    if (made !== null) this.#parts.made(this.#room);
    return made;
  }

  /** @param {readonly Uuid[]} [strangers] instead of all members */
  async #learn(strangers = []) {
    const users = strangers.length > 0 ? strangers : await this.#parts.membersOf(this.#room);
    await this.#parts.people.knowAnew(users);
  }

  /** @param {Look} start @returns {Promise<Look | null>} */
  async #tidy(start) {
    /** @type {Look | null} */
    let look = start;
    for (let commits = 0; look !== null && commits < MAX_COMMITS; commits += 1) {
      const wanted = await this.#wanted(look);
      if (wanted === null) return look;
      await this.#turn(look, wanted.remove);
      const epoch = look.epoch;
      look = await this.#group.current((users) => this.#learn(users));
      if (look === null || look.epoch !== epoch) continue;
      look = await this.#commit(look, wanted);
    }
    return look;
  }

  /** Waits until it is this device's turn, or somebody else was faster: what they did is followed at once. @param {Look} look @param {number[]} gone */
  #turn(look, gone) {
    const committed = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#followTo = (epoch) => epoch > look.epoch && resolve())));
    return Promise.race([this.#parts.pause(turnMs(look, gone, this.#parts.random)), committed]);
  }

  /** What is to be changed; null: nothing. @param {Look} look */
  async #wanted(look) {
    const users = await this.#parts.membersOf(this.#room);
    const trust = await this.#parts.people.know(users);
    const [members, present] = [new Set(users), usersIn(look)];
    const gone = look.members.filter(({ user }) => !members.has(user)).map(({ leaf }) => leaf);
    const remove = [...new Set([...look.stale, ...gone])].filter((leaf) => leaf !== look.leaf);
    const missing = users.filter((user) => !present.has(user) && trust.get(user) === 'trusted');
    if (look.strict) this.#parts.foundStrict(this.#room);
    await this.#door.follow(look, members);
    // Whoever goes brings in nobody any more: they go first.
    if (remove.length > 0) return { add: [], remove };
    const welcome = await this.#door.admit(look, missing, this.#changes);
    const add = welcome.filter((user) => !this.#unreachable.has(user)).slice(0, USERS_AT_ONCE);
    return add.length === 0 ? null : { add, remove };
  }

  /** @param {Look} look @param {{ add: Uuid[], remove: number[] }} wanted @returns {Promise<Look | null>} */
  async #commit(look, { add, remove }) {
    const changes = this.#changes;
    const claimed = await this.#claim(add);
    const missing = add.filter((user) => !claimed.some((each) => each.user === user));
    if (changes === this.#changes) for (const user of missing) this.#unreachable.add(user);
    const packages = claimed.map(({ keyPackage }) => keyPackage);
    if (packages.length === 0 && remove.length === 0) return look;
    try {
      return await this.#change(packages, add, remove);
    } catch (error) {
      if (!(error instanceof KeysRefused) || packages.length === 0) throw error;
    }
    // One of them is not what it should be, or of a device that was published since: each by itself, so that nobody keeps others out.
    await this.#learn();
    for (const { user, keyPackage } of claimed) await this.#addAlone(user, keyPackage);
    return this.#group.current((users) => this.#learn(users));
  }

  /**
   * Of whom too many were claimed lately, none is: the others are not kept waiting for them.
   * @param {Uuid[]} users
   * @returns {Promise<{ user: Uuid, keyPackage: Base64 }[]>} of these users and no others
   */
  async #claim(users) {
    if (users.length === 0) return [];
    try {
      return (await this.#parts.delivery.claim(users)).filter(({ user }) => users.includes(user));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429) throw error;
      if (users.length === 1) return [];
      const each = [];
      for (const user of users) each.push(...(await this.#claim([user])));
      return each;
    }
  }

  /** @param {Uuid} user @param {Base64} keyPackage */
  async #addAlone(user, keyPackage) {
    const changes = this.#changes;
    try {
      await this.#change([keyPackage], [user], []);
    } catch (error) {
      if (!(error instanceof KeysRefused)) throw error;
      if (changes === this.#changes) this.#unreachable.add(user);
    }
  }

  /** @param {Base64[]} add @param {Uuid[]} users @param {number[]} remove */
  #change(add, users, remove) {
    return this.#group.change(add, users, remove, (strangers) => this.#learn(strangers));
  }
}
