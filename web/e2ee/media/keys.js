/**
 * The keys of a call: those that others seal under, by epoch, and this client's own. Knows of MLS only that epochs rise; the rules of
 * when a key begins and ends are here. Time is an argument of every call.
 *
 * A counter is never used twice: there is one for each source, and it goes on through all epochs for the life of this ring.
 */

/** @import { Bytes, Context, EpochMessage, Member, OwnKeys } from './interface.js' */
/** @import { Cipher, Header } from './sframe.js' */

import { isEqual } from './bytes.js';
import { EPOCHS, kidOf, readKid } from './kid.js';
import { ReplayWindow } from './replay.js';
import { MAX_COUNTER, deriveCipher, writeHeader } from './sframe.js';

/** After somebody joined, the others are given this long to have the new keys before frames come under them; who joined sees nothing until then. Whose
 * keys come later holds the frames meanwhile (`hold.js`). */
export const JOIN_DELAY_MS = 100;
/** What was sealed before a change may be on its way for this long; then the old keys are forgotten. */
export const KEEP_MS = 10_000;
/** Epochs at a time: one every 200 ms for as long as old ones are kept. Beyond it the oldest ends early. */
const MAX_EPOCHS = 50;
/** Own epochs that wait for their time: as many as begin within `JOIN_DELAY_MS` at that pace, and some. Beyond it the oldest begins early. */
const MAX_WAITING = 8;
/** Epochs by which a sender may be ahead or behind and still be believed to have a key. */
const PLAUSIBLE = 16;

/** @typedef {{ owner: string, context: Context, cipher: Promise<Cipher>, replays: ReplayWindow }} ReceivingKey */
/** @typedef {{ epoch: number, members: Map<number, Member>, keys: Map<number, ReceivingKey>, ends_ms: number }} Epoch */
/** @typedef {{ epoch: number, own: OwnKeys, begins_ms: number, ciphers: Map<Context, Promise<Cipher>> }} Sending */
/** `begins_ms`: when frames are sealed under it; `hasNewcomers`: somebody has it who has none of the keys before. @typedef {{ begins_ms: number, hasNewcomers: boolean }} Begun */

export class KeyRing {
  /** The call, as the first epoch named it. @type {Bytes | null} */
  #call = null;
  /** Oldest first. @type {Epoch[]} */
  #epochs = [];
  /** The one in use, then those that wait. @type {Sending[]} */
  #sendings = [];
  /** @type {Map<Context, number>} */
  #counters = new Map();

  get call() {
    return this.#call;
  }

  /** The newest epoch. */
  get epoch() {
    return this.#epochs.at(-1)?.epoch ?? null;
  }

  /**
   * @param {EpochMessage} message
   * @param {number} now
   * @returns {Begun | null} null: of another call, or not newer than what is known; nothing has changed then
   */
  begin({ call, epoch, because, own, members, removed }, now) {
    if ((this.#call && !isEqual(this.#call, call)) || epoch <= (this.epoch ?? -1)) return null;
    this.#call ??= call;
    // Who joined has the new keys already: where nobody else was, nobody is waited for.
    const before = this.#epochs.at(-1)?.members;
    const areOthersHere = (before?.size ?? 0) > 0;
    const hasNewcomers = because !== 'removal' || members.some(({ leaf, session }) => before?.get(leaf)?.session !== session);
    for (const old of this.#epochs) {
      old.ends_ms = Math.min(old.ends_ms, now + KEEP_MS);
      for (const leaf of removed) this.#forget(old, leaf);
    }
    this.#epochs.push({ epoch, members: new Map(members.map((member) => [member.leaf, member])), keys: new Map(), ends_ms: Infinity });
    if (this.#epochs.length > MAX_EPOCHS) this.#epochs.shift();
    const begins_ms = because === 'join' && areOthersHere && this.#sendings.length > 0 ? now + JOIN_DELAY_MS : now;
    if (begins_ms === now) this.#sendings = [];
    this.#sendings.push({ epoch, own, begins_ms, ciphers: new Map() });
    if (this.#sendings.length > MAX_WAITING) this.#sendings.shift();
    this.prune(now);
    return { begins_ms, hasNewcomers };
  }

  /**
   * Somebody's hello came after the epoch began. The same session again changes nothing: its replay window must not start afresh.
   * @param {number} epoch
   * @param {Member} member
   * @returns {boolean} false: there is no such epoch
   */
  add(epoch, member) {
    const found = this.#epochs.find((each) => each.epoch === epoch);
    if (!found) return false;
    if (found.members.get(member.leaf)?.session === member.session) return true;
    this.#forget(found, member.leaf);
    found.members.set(member.leaf, member);
    return true;
  }

  /**
   * @param {number} kid
   * @param {number} now
   * @returns {ReceivingKey | 'missing' | 'impossible'} missing: it may yet come; impossible: nobody honest seals under that
   */
  find(kid, now) {
    this.prune(now);
    const named = readKid(kid);
    if (named === null || this.epoch === null) return named === null ? 'impossible' : 'missing';
    const epoch = this.#epochs.findLast((each) => each.epoch % EPOCHS === named.epoch);
    const member = epoch?.members.get(named.leaf);
    if (!epoch || !member) return this.#isPlausible(named.epoch) ? 'missing' : 'impossible';
    let key = epoch.keys.get(kid);
    if (!key) {
      key = { owner: member.owner, context: named.context, cipher: deriveCipher(member.base, kid), replays: new ReplayWindow() };
      epoch.keys.set(kid, key);
    }
    return key;
  }

  /**
   * Whether a key that is missing is expected: of a later epoch, or of any before the first. What was sealed before this client came in, it never
   * opens, but which that is, it learns as it has come in: others may be faster to seal for it.
   * @param {number} kid
   */
  mayCome(kid) {
    const named = readKid(kid);
    if (named === null || this.epoch === null) return named !== null;
    const ahead = this.#ahead(named.epoch);
    return ahead > 0 && ahead <= PLAUSIBLE;
  }

  /**
   * What to seal the next frame of a source under. Its counter is used up by asking.
   * @param {Context} context
   * @param {number} now
   * @returns {{ header: Header, cipher: Promise<Cipher> } | null}
   */
  next(context, now) {
    this.prune(now);
    const [sending] = this.#sendings;
    const counter = this.#counters.get(context) ?? 0;
    if (!sending || counter > MAX_COUNTER) return null;
    this.#counters.set(context, counter + 1);
    const kid = kidOf(context, sending.own.leaf, sending.epoch);
    let cipher = sending.ciphers.get(context);
    if (!cipher) {
      cipher = deriveCipher(sending.own.base, kid);
      sending.ciphers.set(context, cipher);
    }
    return { header: writeHeader(kid, counter), cipher };
  }

  /**
   * Forget what has ended and begin what waits. Every other call does so first; a timer does it when no frame comes.
   * @param {number} now
   */
  prune(now) {
    if (this.#epochs.some(({ ends_ms }) => ends_ms <= now)) this.#epochs = this.#epochs.filter(({ ends_ms }) => ends_ms > now);
    while ((this.#sendings[1]?.begins_ms ?? Infinity) <= now) this.#sendings.shift();
  }

  /**
   * @param {Epoch} epoch
   * @param {number} leaf
   */
  #forget(epoch, leaf) {
    epoch.members.delete(leaf);
    for (const kid of epoch.keys.keys()) if (readKid(kid)?.leaf === leaf) epoch.keys.delete(kid);
  }

  /** @param {number} low the lowest byte of an epoch */
  #isPlausible(low) {
    const ahead = this.#ahead(low);
    return ahead <= PLAUSIBLE || ahead >= EPOCHS - PLAUSIBLE;
  }

  /** @param {number} low @returns {number} from the newest epoch on, around the circle */
  #ahead(low) {
    return (low - (this.epoch ?? 0) + EPOCHS * 2 ** 20) % EPOCHS;
  }
}
