/**
 * One group, here and at the server: what waits is sent, what others did is processed, in the one order that the server keeps. The same for
 * rooms and for calls; who belongs in it, `room-group.js` and `call-group.js` know.
 *
 * The worker keeps a change before it answers, so each step may be the last before a crash: what waits is found again and sent again.
 */

/** @import { Base64, Change, GroupName, Look, Stay, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */

import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { isRefusal } from './passing.js';

/** Commits that are followed in one go, a lively room's of all the time that the server keeps them. Who is further behind comes in anew and has no keys of the time between. */
const MAX_BEHIND = 20_000;
/** Others may be faster this often in a row. */
const MAX_TRIES = 20;

/** Fetches what these users published, for a commit names devices of theirs that are not known here; without any: what all in question did. @typedef {(strangers: Uuid[]) => Promise<void>} Learn */
/** What happened in an epoch that begins. @typedef {(look: Look, change: Change) => Promise<void> | void} Followed */

export class Group {
  #name;
  #keys;
  #delivery;
  #followed;
  #harmed;
  /** The newest epoch that the server ever said: an older one is not believed afterwards. */
  #newest = 0;
  /** The log is to be read for the first time since this device was away. */
  #isBehind = true;
  /** The last epoch that the server and this device have in common, at most, where this one has come further; as of the last `current`. @type {number | null} */
  #isBefore = null;
  /** The commit that was made in this epoch names somebody who is not known yet. @type {number | null} */
  #stuck = null;

  /**
   * @param {GroupName} name
   * @param {Keys} keys
   * @param {Delivery} delivery
   * @param {Followed} followed called for each epoch, in order, before the next one begins
   * @param {(user: Uuid) => void} harmed a device of this user made a commit that nobody can follow: this one comes in anew
   */
  constructor(name, keys, delivery, followed = () => {}, harmed = () => {}) {
    this.#name = name;
    this.#keys = keys;
    this.#delivery = delivery;
    this.#followed = followed;
    this.#harmed = harmed;
  }

  /** What lies in the log by now is followed, also where the device that made it was revoked since. */
  wasAway() {
    this.#isBehind = true;
  }

  /** Something has changed: who was not known may be. */
  tryAgain() {
    this.#stuck = null;
  }

  /** Whether the server has not what this device has seen of it, as after a backup was restored; as of the last `current`. */
  get isAhead() {
    return this.#isBefore !== null;
  }

  /** Of a room: the person goes on from what the server has. */
  async goBack() {
    if (this.#isBefore === null) return;
    await this.#keys.ask({ op: 'go_back', room: this.#name.id, epoch: this.#isBefore }, 'done');
    [this.#newest, this.#isBefore, this.#isBehind] = [this.#isBefore, null, true];
  }

  /** How it stands here; null: this device is not in it. @returns {Promise<Look | null>} */
  async look() {
    try {
      return await this.#keys.ask({ op: 'look', group: this.#name }, 'group');
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'not_open') return null;
      throw error;
    }
  }

  /**
   * Sends what waits and processes what others did.
   * @param {Learn} learn
   * @returns {Promise<Look | null>} in the newest epoch; null: this device is not in it, or no more
   */
  async current(learn) {
    let look = await this.look();
    for (let tries = 0; look?.outgoing && tries < MAX_TRIES; tries += 1) {
      const { epoch } = look;
      look = await this.#sendAgain(look, learn);
      // It was not taken, and nothing else was: that is for another time.
      if (look?.outgoing && look.epoch === epoch) break;
    }
    return look && this.#catchUp(look, learn);
  }

  /** What cannot be sent for the moment keeps nobody from following others: who was faster takes its place. @param {Look} look @param {Learn} learn @param {unknown} error */
  async #followAnyway(look, learn, error) {
    if (look.standing !== 'member' || !(error instanceof ApiError)) throw error;
    const followed = await this.#catchUp(look, learn);
    if (followed !== null && followed.epoch === look.epoch) throw error;
    return followed;
  }

  /** The same, where nothing waits and this page alone has the group. @param {Look} look as it stands @param {Learn} learn */
  currentFrom(look, learn) {
    return this.#catchUp(look, learn);
  }

  /** What is refused now may have been right when it was made: things are looked at anew. @param {Look} look @param {Learn} learn */
  async #sendAgain(look, learn) {
    try {
      return await this.#send(look, learn);
    } catch (error) {
      if (error instanceof ApiError && isFinal(error)) return this.look();
      return this.#followAnyway(look, learn, error);
    }
  }

  /** A new one, this device alone in it. @param {Stay | null} stay @param {boolean} [strict] of a strict room @returns {Promise<Look | null>} null: another was faster */
  async create(stay, strict = false) {
    const look = await this.#keys.ask({ op: 'create', group: this.#name, stay, strict }, 'group');
    return this.#send(look, async () => {});
  }

  /**
   * Comes in by oneself.
   * @param {Stay | null} stay
   * @param {{ groupInfo: Base64, tree: Base64 | null }} info as the server has it now
   * @param {boolean} [strict] the room is known to be
   * @returns {Promise<Look | null>} null: another was faster
   */
  async enter(stay, info, strict = false) {
    const request = { op: /** @type {const} */ ('join_external'), group: this.#name, group_info: info.groupInfo, tree: info.tree, stay, at_least_epoch: this.#newest, strict };
    return this.#send(await this.#keys.ask(request, 'group'), async () => {});
  }

  /**
   * One commit.
   * @param {Base64[]} add key packages, as the server handed them out for these users
   * @param {Uuid[]} users
   * @param {number[]} remove
   * @param {Learn} learn
   */
  async change(add, users, remove, learn) {
    const look = await this.#keys.ask({ op: 'change', group: this.#name, add, users, remove }, 'group');
    return this.#send(look, learn);
  }

  /** What is kept of it is thrown away. */
  async forget() {
    await this.#keys.ask({ op: 'forget', group: this.#name }, 'done');
  }

  /** @param {Look} look @param {Learn} learn @returns {Promise<Look | null>} */
  async #send(look, learn) {
    const { outgoing } = look;
    if (outgoing === null) return look;
    let won;
    try {
      won = outgoing.commit === null ? await this.#delivery.create(outgoing) : await this.#delivery.commit(this.#name, outgoing);
    } catch (error) {
      if (error instanceof ApiError && isFinal(error)) await this.#giveUp(look);
      throw error;
    }
    if (won) return this.#accepted();
    if (look.standing !== 'member') {
      await this.forget();
      return null;
    }
    // What won stands in the log; processing it drops one's own.
    return this.#catchUp(look, learn);
  }

  /** @returns {Promise<Look | null>} */
  async #accepted() {
    try {
      const look = await this.#keys.ask({ op: 'accepted', group: this.#name }, 'group');
      await this.#follow(look, { type: 'ours' });
      return look;
    } catch (error) {
      // Another window was faster at that, too.
      if (error instanceof KeysRefused && error.code === 'nothing_pending') return this.look();
      throw error;
    }
  }

  /** The server will never take it. @param {Look} look */
  async #giveUp({ standing }) {
    if (standing === 'member') await this.#keys.ask({ op: 'lost', group: this.#name }, 'group');
    else await this.forget();
  }

  /** @param {Look} start @param {Learn} learn @returns {Promise<Look | null>} */
  async #catchUp(start, learn) {
    let look = start;
    if (look.epoch === this.#stuck) return null;
    /** How far the log went when it was first asked for. @type {number | null} */
    let logEpoch = null;
    let from = this.#isBehind && this.#name.kind === 'room' ? Math.max(0, look.epoch - 1) : look.epoch;
    for (let behind = 0; behind < MAX_BEHIND; from = look.epoch) {
      const { commits, epoch } = await this.#delivery.commits(this.#name, from);
      if (from < look.epoch && commits[0]?.epoch === from && !(await this.#beganWith(/** @type {{ commit: Base64 }} */ (commits.shift()).commit))) {
        this.#isBefore = Math.min(this.#isBefore ?? from, from);
        return look;
      }
      this.#newest = Math.max(this.#newest, epoch);
      this.#isBefore = epoch < look.epoch ? Math.min(this.#isBefore ?? epoch, epoch) : null;
      if (this.#isBehind) logEpoch ??= epoch;
      // It gives at least one, however long: the one that was only compared.
      if (from < look.epoch && look.epoch < epoch && commits.length === 0) continue;
      // The server no longer has what comes next.
      if (look.epoch < epoch && commits[0]?.epoch !== look.epoch) break;
      for (const { commit } of look.epoch < epoch ? commits : []) {
        const processed = await this.#process(commit, look.epoch, logEpoch, learn);
        if (processed === null) return null;
        look = processed;
        behind += 1;
      }
      // What came since is told.
      if (look.epoch >= epoch) {
        // While the server has seen less, what comes in the place of what it lost is another commit than the one that led here.
        this.#isBehind = epoch < look.epoch;
        return look;
      }
    }
    await this.forget();
    return null;
  }

  /** Whether this commit led where this device is: after a backup was restored another may have. @param {Base64} commit */
  async #beganWith(commit) {
    try {
      await this.#keys.ask({ op: 'began_with', group: this.#name, commit }, 'done');
      return true;
    } catch (error) {
      if (error instanceof KeysRefused && error.code === 'other_group') return false;
      throw error;
    }
  }

  /** @param {Base64} commit @param {number} epoch in which it was made @param {number | null} logEpoch @param {Learn} learn @returns {Promise<Look | null>} null: this device is out, or cannot follow */
  async #process(commit, epoch, logEpoch, learn) {
    const ask = () => this.#keys.ask({ op: 'process', group: this.#name, commit, log_epoch: logEpoch }, 'processed');
    try {
      const { change, group } = await ask().catch(async (error) => {
        if (!(error instanceof KeysRefused) || !['not_vouched', 'uninvited'].includes(error.code)) throw error;
        await learn(error.code === 'not_vouched' ? await this.#strangers() : []);
        return ask();
      });
      if (change.type === 'out') return null;
      const look = /** @type {Look} */ ({ type: 'group', ...group });
      await this.#follow(look, change);
      return look;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (error.code === 'bad_commit') await this.#blame();
      // Whom it names may be known another time: unless this device can come in anew without them, a room is followed on from here then, and nothing of
      // what was written meanwhile is lost.
      if (error.code === 'not_vouched' && this.#name.kind === 'room') this.#stuck = epoch;
      else await this.forget();
      return null;
    }
  }

  /** Who came may be gone by now: only the commit names them. */
  async #strangers() {
    return (await this.#keys.ask({ op: 'strangers', group: this.#name }, 'strangers')).users;
  }

  async #blame() {
    const { user } = await this.#keys.ask({ op: 'culprit', group: this.#name }, 'culprit');
    if (user !== null) this.#harmed(user);
  }

  /** @param {Look} look @param {Change} change */
  async #follow(look, change) {
    this.#newest = Math.max(this.#newest, look.epoch);
    await this.#followed(look, change);
  }
}

/** Refused for what it is, not for the moment. @param {ApiError} error */
export function isFinal({ status }) {
  return status >= 400 && status < 500 && status !== 401 && status !== 408 && status !== 429;
}

/** Users who have a leaf. @param {Look} look @returns {Set<Uuid>} */
export function usersIn({ members }) {
  return new Set(members.map(({ user }) => user));
}
