/**
 * The log of everybody's keys, as this device follows it: each head that the server shows must be proven to go on from the one before, what a
 * user published counts only with the proof that it is in the log, and the heads that others' messages carry are compared with one's own, so that
 * a server cannot show two people two logs. All of it is judged in the worker; here the server is asked for what the worker needs.
 *
 * A server that says there is no proof is believed to have none, and so is one that fails at this proof alone, in whatever way, for an hour; one that does not answer is
 * asked again later. Says `alarm` when something was
 * contradicted, or the person went on regardless.
 */

/** @import { Answer, Base64, LogAlarm, LogLook, OpenedMessage, TreeHead, Uuid } from '../../e2ee/keys/interface.js' */
/** @import { Keys } from '../../e2ee/keys/page.js' */
/** @import { Delivery } from './delivery.js' */

import { fromBase64 } from '../../e2ee/base64.js';
import { KeysRefused } from '../../e2ee/keys/page.js';
import { ApiError } from '../../net/api.js';
import { oneAtATime } from './parts.js';

/** Before something is sent, the head is no older: what was hidden by a server that stands still is found by then. */
const FRESH_MS = 3_600_000;
/** Contradictions that are written down (`web/crypto/src/log.rs`). */
const MAX_ALARMS = 32;
/** Somebody may publish something between the head and the chain, this often in a row. */
const MAX_TRIES = 3;
/** Heads of one user that the server is asked about in an hour: a member can invent as many as messages. The newest of each device waits. */
export const MAX_ASKED = 6;
const ASKED_MS = 3_600_000;
/** Of one device's heads: proofs at which the server failed, while it answered what else was asked of the log. It takes an hour to come so far. */
export const MAX_FAILURES = MAX_ASKED;
/** Devices whose heads wait to be compared, and users that are counted. Beyond it the oldest are forgotten: their next message names a head again. */
const MAX_WAITING = 1_000;
/** Heads that need no worker any more; of more all are asked again. */
const MAX_GOOD = 256;
/** Of a signed head: the key of the log stands before the size (`trust/src/log.rs`). */
const SIZE_AT = 32;
const HEAD_BYTES = 32 + 8 + 32 + 8 + 64;

/** @typedef {Pick<OpenedMessage, 'user' | 'device' | 'head'> & { failures: number }} Said */

export class KeyLog extends EventTarget {
  #keys;
  #delivery;
  #exclusively;
  #now;
  /** Of the newest head that is kept. @type {number | null} */
  #size = null;
  #renewed_ms = -Infinity;
  /** @type {LogAlarm[]} */
  #alarms = [];
  /** By user and device. @type {Map<string, Said>} */
  #waiting = new Map();
  /** @type {Set<string>} */
  #good = new Set();
  /** @type {Map<Uuid, { since_ms: number, count: number }>} */
  #asked = new Map();
  #renewal = oneAtATime(() => this.#exclusively('webcall-key-log', () => this.#renew()));
  #comparing = oneAtATime(() => this.#compareAll());

  /** @param {{ keys: Keys, delivery: Delivery, exclusively: <T>(name: string, act: () => Promise<T>) => Promise<T>, now: () => number }} parts */
  constructor({ keys, delivery, exclusively, now }) {
    super();
    this.#keys = keys;
    this.#delivery = delivery;
    this.#exclusively = exclusively;
    this.#now = now;
  }

  /** What was contradicted, as it was found last; accepted ones are those with which the person went on. */
  get alarms() {
    return this.#alarms;
  }

  /** Takes the server's newest head. What contradicts an earlier one is an alarm; rejects where the server could not be asked. */
  renew() {
    return this.#renewal();
  }

  /** Takes it if the last one is not new any more. */
  async freshen() {
    if (this.#now() - this.#renewed_ms > FRESH_MS) await this.renew();
  }

  /** Something was published, or may have been: before something is sent the head is taken anew. */
  grew() {
    this.#renewed_ms = -Infinity;
    if (this.#waiting.size > 0) void this.#comparing();
  }

  /**
   * Has the worker learn what a user published.
   * @param {Uuid} user
   * @returns {Promise<{ records: Base64[], answer: Answer & { type: 'user' } } | null>} null: nothing was published; rejects with KeysRefused, `not_logged` without a proof
   */
  async learn(user) {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const size = this.#size ?? (await this.renew());
      const { records, leaves, path } = await this.#delivery.loggedChain(user, size);
      if (records.length === 0) return null;
      if (path !== null) {
        const answer = await this.#learned(user, records, { size, leaves, path });
        if (answer !== null) return { records, answer };
      }
      // Unless somebody else has done it meanwhile.
      if (this.#size === size) await this.renew();
    }
    throw new KeysRefused('not_logged');
  }

  /** @param {Uuid} user @param {Base64[]} records @param {{ size: number, leaves: number[], path: Base64[] }} proof */
  async #learned(user, records, proof) {
    try {
      return await this.#keys.ask({ op: 'learn', user, records, proof }, 'user');
    } catch (error) {
      if (!(error instanceof KeysRefused) || error.code !== 'old_proof') throw error;
      return null;
    }
  }

  /** What this device knows of it, whichever window found it. */
  async look() {
    this.#shows(await this.#keys.ask({ op: 'log' }, 'log'));
  }

  /** Nothing is sent to these users while it would be a `concern` of theirs. Rejects with KeysRefused `split_view`. @param {ReadonlySet<Uuid>} present */
  async beforeSending(present) {
    await this.look();
    await this.freshen();
    if (this.concerns(present)) throw new KeysRefused('split_view');
  }

  /**
   * Whether the server contradicts itself, or one of these users does, and the person has not decided: nothing is written and said where they are. Whoever
   * else may write to a person stops nothing.
   * @param {ReadonlySet<Uuid>} present
   */
  concerns(present) {
    const open = this.#alarms.filter(({ accepted }) => !accepted);
    // Of whom came behind so many nothing is known: it may be anybody.
    return open.length >= MAX_ALARMS || open.some(({ user }) => user === null || present.has(user));
  }

  /** The head that a message carries, compared by and by: nothing waits for it. @param {Pick<OpenedMessage, 'user' | 'device' | 'head'>} said */
  heard({ user, device, head }) {
    if (head.size === 0 || this.#good.has(nameOf(head))) return;
    const name = `${user}/${device}`;
    const before = this.#waiting.get(name);
    // Each device verified itself that its log only grew: its newest head speaks for those before.
    if (before !== undefined && before.head.size > head.size) return;
    this.#waiting.delete(name);
    this.#waiting.set(name, { user, device, head, failures: before?.failures ?? 0 });
    dropOldest(this.#waiting);
    void this.#comparing();
  }

  /** The person goes on regardless, also where the server's log is another one now. */
  async accept() {
    // Whatever waits is sent with a head of what is followed now.
    this.#renewed_ms = -Infinity;
    this.#shows(await this.#keys.ask({ op: 'accept_log' }, 'log'));
    await this.renew();
  }

  /** @returns {Promise<number>} the size of the newest head that is kept */
  async #renew() {
    const { size: from } = this.#shows(await this.#keys.ask({ op: 'log' }, 'log')).head;
    const head = await this.#delivery.logHead();
    const size = sizeOf(head);
    const isToProve = from > 0 && size > 0 && size !== from;
    const path = isToProve ? await this.#delivery.consistency(Math.min(from, size), Math.max(from, size)) : [];
    const look = this.#shows(await this.#keys.ask({ op: 'take_head', head, from, path: path ?? [] }, 'log'));
    this.#renewed_ms = this.#now();
    return look.head.size;
  }

  /** @param {LogLook} look */
  #shows(look) {
    const isOther = JSON.stringify(look.alarms) !== JSON.stringify(this.#alarms);
    this.#alarms = look.alarms;
    // After the person went on with another log, none is known.
    this.#size = look.head.size > 0 ? look.head.size : null;
    if (isOther) this.dispatchEvent(new Event('alarm'));
    return look;
  }

  async #compareAll() {
    for (const [name, said] of [...this.#waiting]) {
      try {
        if (await this.#isCompared(said)) this.#forget(name, said);
      } catch (error) {
        // What the worker cannot read is nothing to ask again; the server, or the worker, may answer another time.
        if (error instanceof KeysRefused && error.code === 'bad_request') this.#forget(name, said);
      }
    }
  }

  /** A newer one may have come meanwhile. @param {string} name @param {Said} said */
  #forget(name, said) {
    if (this.#waiting.get(name) === said) this.#waiting.delete(name);
  }

  /** @param {Said} said */
  async #isCompared(said) {
    const heard = await this.#compare(said);
    if (heard === 'split') this.#shows(await this.#keys.ask({ op: 'log' }, 'log'));
    if (heard === 'known') {
      if (this.#good.size >= MAX_GOOD) this.#good.clear();
      this.#good.add(nameOf(said.head));
    }
    return heard === 'known' || heard === 'split';
  }

  /** @param {Said} said */
  async #compare(said) {
    const heard = await this.#hear(said, null);
    if ((heard !== 'ahead' && heard !== 'unknown') || !this.#mayAsk(said.user)) return heard;
    const size = heard === 'ahead' || this.#size === null ? await this.renew() : this.#size;
    // A head beyond the server's newest, which was asked for after the message came, has no proof.
    const path = said.head.size < size ? await this.#way(said, size) : [];
    return this.#hear(said, { to: size, path: path ?? [] });
  }

  /** @param {Said} said @param {number} size */
  async #way(said, size) {
    try {
      return await this.#delivery.consistency(said.head.size, size);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // It counts only where it is not the log as a whole that fails, or the connection.
      await this.renew();
      said.failures += 1;
      if (said.failures < MAX_FAILURES) throw error;
      return null;
    }
  }

  /** @param {Said} said @param {{ to: number, path: Base64[] } | null} way */
  async #hear({ user, device, head }, way) {
    return (await this.#keys.ask({ op: 'hear_head', user, device, head, way }, 'head_heard')).heard;
  }

  /** @param {Uuid} user */
  #mayAsk(user) {
    const now = this.#now();
    let asked = this.#asked.get(user);
    if (asked === undefined || now - asked.since_ms > ASKED_MS) asked = { since_ms: now, count: 0 };
    if (asked.count >= MAX_ASKED) return false;
    this.#asked.delete(user);
    this.#asked.set(user, { ...asked, count: asked.count + 1 });
    dropOldest(this.#asked);
    return true;
  }
}

/** @param {Map<string, unknown>} map in the order of its use */
function dropOldest(map) {
  const [oldest] = map.keys();
  if (map.size > MAX_WAITING && oldest !== undefined) map.delete(oldest);
}

/** @param {TreeHead} head */
function nameOf({ size, root }) {
  return `${size}/${root}`;
}

/** @param {Base64} head as the server signed it @returns {number} 0 for what is none, which the worker refuses */
function sizeOf(head) {
  const bytes = fromBase64(head);
  if (bytes.length !== HEAD_BYTES) return 0;
  const size = Number(new DataView(bytes.buffer).getBigUint64(SIZE_AT));
  return Number.isSafeInteger(size) ? size : 0;
}
