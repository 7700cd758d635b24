/**
 * The group of a call, for one stay in it: this device comes in by itself, as a member of the room's group, and every epoch's keys go to the media
 * worker before the next one begins. Lives in the worker's memory; a stay that cannot follow any more ends, and the call is joined anew.
 */

/** @import { Change, Look, Stay, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { GroupInfo } from '../../protocol.js' */
/** @import { GroupParts } from './parts.js' */

import { OFFER_BACKOFF, backoffMs } from '../../backoff.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { infoOf } from './delivery.js';
import { Group } from './group.js';
import { oneAtATime, turnMs } from './parts.js';

/** In a call that many join at once, others are faster for a while. */
const MAX_TRIES = 60;
/** Between two tries to come in: by chance, so that those who lost together do not meet again. */
const AGAIN_MS = 60;
/** Of so many one after the other some one is there: whoever left is to hear nothing after two seconds. */
const TURNS = 6;

/** From the word that somebody is in the call to the word of their commit, on a slow device. */
const COMING_MS = 2_000;

/** What is said of people of whom this device may not know the newest. */
const UNKNOWN = new Set(['not_vouched', 'uninvited']);

/** Why a stay ended. */
class StayEnded extends Error {}

export class CallGroup {
  #call;
  #stay;
  #parts;
  #group;
  /** Participants who are in the call, by the server; null before it has said so. @type {ReadonlySet<string> | null} */
  #present = null;
  /** Keys went to the media worker. */
  #started = false;
  #isInside = false;
  /** Leaves of the commit on its way. @type {number[]} */
  #removing = [];
  /** Leaves that went, and whose keys the media worker still has. @type {number[]} */
  #removed = [];
  /** @type {Promise<void> | null} */
  #entering = null;
  #ended = false;
  #finish = () => {};
  /** The stay is over. @type {Promise<void>} */
  #finished = new Promise((resolve) => (this.#finish = resolve));
  #over;
  #epoch;
  /** @type {Look | null} */
  #look = null;
  #attempt = 0;
  #isRetrying = false;
  /** The newest that was heard of. */
  #newest = 0;
  /** Ends the wait for this device's turn. */
  #wake = () => {};
  #sync = oneAtATime(() => this.#run());

  /**
   * @param {Uuid} call
   * @param {Stay} stay
   * @param {GroupParts & { syncRoom: (room: Uuid) => Promise<unknown>, before: Promise<unknown> }} parts `syncRoom` brings the room's group up to date;
   *   `before`: when an earlier stay in this call is over
   * @param {{ over: () => void, epoch: () => void }} told `over`: the stay cannot go on; `epoch`: who is in the group is otherwise than before
   */
  constructor(call, stay, parts, { over, epoch }) {
    this.#call = call;
    this.#stay = stay;
    this.#parts = parts;
    this.#over = over;
    this.#epoch = epoch;
    this.#group = new Group({ kind: 'call', id: call }, parts.keys, parts.delivery, (look, change) => this.#pass(look, change), (user) => parts.harmed(stay.room, user));
  }

  /** Whose call it is. */
  get room() {
    return this.#stay.room;
  }

  /** The end of the port that leads to the media worker. Before `enter`. @param {MessagePort} port */
  connect(port) {
    this.#parts.keys.connect(this.#call, port);
  }

  /**
   * Makes the group, or comes into it.
   * @param {GroupInfo | null} told what the server said of it as it let this participant in; null: to be asked for
   * @returns {Promise<void>} rejects with StayEnded when others were faster all the time
   */
  enter(told) {
    this.#entering = this.#tryToEnter(told);
    return this.#entering;
  }

  /** @param {GroupInfo | null} told */
  async #tryToEnter(told) {
    await this.#parts.before;
    for (let tries = 0; tries < MAX_TRIES && !this.#ended; tries += 1) {
      if ((await this.#comeIn(tries === 0 ? told : null)) !== null) {
        // Who has left meanwhile is taken out.
        void this.follow();
        return;
      }
      await this.#pause(AGAIN_MS * (1 + tries / 4) * this.#parts.random());
    }
    throw new StayEnded('others were faster');
  }

  /** Who is in the room was learned before the call was joined; only whoever is still unknown is asked for. @param {GroupInfo | null} told @returns {Promise<Look | null>} null: another was faster */
  async #comeIn(told) {
    try {
      return await this.#makeOrEnter(told);
    } catch (error) {
      if (!(error instanceof KeysRefused) || !UNKNOWN.has(error.code)) throw error;
      await this.#learn();
      return this.#makeOrEnter(null);
    }
  }

  /** @param {GroupInfo | null} told */
  async #makeOrEnter(told) {
    const info = told === null ? await this.#parts.delivery.info({ kind: 'call', id: this.#call }) : infoOf(told);
    if (this.#ended) return null;
    return info === null ? this.#group.create(this.#stay) : this.#group.enter(this.#stay, info);
  }

  /** Who is in the call now. Whoever came comes into the group by a commit, and that is told; whoever left is to be taken out. @param {ReadonlySet<string>} participants */
  present(participants) {
    const before = this.#present;
    this.#present = participants;
    if (before === null || [...before].some((one) => !participants.has(one))) void this.follow();
    else if ([...participants].some((one) => !before.has(one))) void this.#expect();
  }

  /** What should have been told and was not is found in the log. */
  async #expect() {
    await this.#pause(COMING_MS);
    const inside = new Set(this.#look?.members.map(({ participant }) => participant));
    if (!this.#ended && [...(this.#present ?? [])].some((one) => !inside.has(one))) void this.follow();
  }

  /** Who is behind a participant, as their device says under its user's identity. @param {string} participant */
  userOf(participant) {
    return this.#look?.members.find((member) => member.participant === participant)?.user ?? null;
  }

  /**
   * Six that all who are in this group see alike; other ones with every epoch.
   * @returns {Promise<number[] | null>} indices of `ui/safety-emoji.js`; null before this device is inside
   */
  async emoji() {
    if (!this.#isInside || this.#ended) return null;
    return (await this.#parts.keys.ask({ op: 'call_emoji', group: { kind: 'call', id: this.#call } }, 'emoji')).emoji;
  }

  /** Somebody changed the group: this device's turn, if it waits for one, has gone by. @param {number} epoch */
  committed(epoch) {
    this.#newest = Math.max(this.#newest, epoch);
    this.#wake();
    // Of one's own this device knows.
    if (epoch > (this.#look?.epoch ?? -1)) void this.follow();
  }

  /** Follows what others did, and takes out who has left: now, or when the connection is back. */
  async follow() {
    try {
      await this.#sync();
      this.#attempt = 0;
    } catch (error) {
      if (this.#ended) return;
      if (isOver(error)) return this.#over();
      if (this.#isRetrying) return;
      this.#isRetrying = true;
      await this.#pause(backoffMs(OFFER_BACKOFF, this.#attempt++, this.#parts.random()));
      this.#isRetrying = false;
      void this.follow();
    }
  }

  /** The person is to decide first; the next stay waits for that. */
  giveUp() {
    if (!this.#ended) this.#over();
  }

  async #run() {
    if (this.#ended || !this.#isInside) return;
    let look = await this.#current();
    for (; look !== null && !this.#ended; ) {
      const gone = this.#gone(look);
      if (gone.length === 0) return;
      await this.#turn(look, gone);
      if (this.#ended) return;
      const { epoch } = look;
      look = await this.#group.current((strangers) => this.#learn(strangers));
      if (look === null || look.epoch !== epoch) continue;
      this.#removing = gone;
      look = await this.#group.change([], [], gone, (strangers) => this.#learn(strangers));
    }
    if (look === null && !this.#ended) throw new StayEnded('this device is no longer in the group of the call');
  }

  /** Waits until it is this device's turn, or somebody else was faster: whoever follows late neither hears the others nor is heard. @param {Look} look @param {number[]} gone */
  #turn(look, gone) {
    if (this.#newest > look.epoch) return;
    const committed = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#wake = resolve)));
    return Promise.race([this.#pause(turnMs(look, gone, this.#parts.random, TURNS)), committed]);
  }

  /** A commit is followed first, then it is looked who counts: whoever came in with it waits for this device's next frame. */
  async #current() {
    const known = this.#look;
    if (known === null || known.outgoing !== null) return this.#group.current((strangers) => this.#learn(strangers));
    const followed = await this.#group.currentFrom(known, (strangers) => this.#learn(strangers));
    const look = followed === known ? await this.#group.look() : followed;
    // A commit that did not reach the server is sent again.
    return look?.outgoing ? this.#group.current((strangers) => this.#learn(strangers)) : look;
  }

  /** The stay is over. @param {boolean} forget what is kept of it */
  async end(forget) {
    this.#ended = true;
    this.#finish();
    // What is on its way would come into the group after all, or take the next stay's commit for its own.
    await this.#entering?.catch(() => {});
    await this.#sync().catch(() => {});
    if (forget) await this.#group.forget().catch(() => {});
  }

  /** @param {number} ms at most: until the stay is over */
  #pause(ms) {
    return Promise.race([this.#parts.pause(ms), this.#finished]);
  }

  /** Leaves that are to go: who does not count, or whose participant has left. @param {Look} look */
  #gone({ leaf: own, members, stale }) {
    const present = this.#present;
    const left = present === null ? [] : members.filter(({ participant }) => participant === null || !present.has(participant)).map(({ leaf }) => leaf);
    return [...new Set([...stale, ...left])].filter((leaf) => leaf !== own);
  }

  /** @param {readonly Uuid[]} [strangers] instead of all members of the room: a few devices that are new cost nobody more than themselves */
  async #learn(strangers = []) {
    await this.#parts.people.knowAnew(strangers.length > 0 ? strangers : await this.#parts.membersOf(this.#stay.room));
    await this.#parts.syncRoom(this.#stay.room);
  }

  /** @param {Look} look @param {Change} change */
  async #pass(look, change) {
    this.#look = look;
    this.#isInside = true;
    this.#removed.push(...(change.type === 'others' ? change.removed : this.#removing));
    this.#removing = [];
    this.#epoch();
    const because = !this.#started ? 'start' : this.#removed.length > 0 ? 'removal' : 'join';
    try {
      await this.#parts.keys.passMediaKeys(this.#call, because, this.#removed);
    } catch (error) {
      // Somebody is in it who does not count: nothing is sealed under these keys, and the next commit takes them out. Where the person is to see first who is
      // in the room, the stay ends, and the next one waits for that.
      if (error instanceof KeysRefused && error.code === 'stale_members') return;
      throw error;
    }
    this.#started = true;
    this.#removed = [];
  }
}

/** Whether it says that the call is over, or that this device cannot be in it. @param {unknown} error */
function isOver(error) {
  return error instanceof StayEnded || error instanceof KeysRefused || (error instanceof ApiError && error.status === 404);
}
