// A server that shows one client another log of everybody's keys than all others (RFC 9162 §2.1), as only the server can: it signs with the log's
// own key, which the test takes from the data folder. The tree is written a second time here, over all leaves, word for word as the standard has it.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { number } from './bytes.mjs';

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest();
const leafHash = (record) => sha256(Buffer.from([0]), record);
const nodeHash = (left, right) => sha256(Buffer.from([1]), left, right);
/** An Ed25519 seed in PKCS#8 (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Of a signed head: behind the log's key. */
const SIZE_AT = 32;

/** The largest power of two below `length`. */
const split = (length) => 2 ** Math.floor(Math.log2(length - 1));

function root(leaves) {
  if (leaves.length < 2) return leaves[0] ?? sha256('');
  const middle = split(leaves.length);
  return nodeHash(root(leaves.slice(0, middle)), root(leaves.slice(middle)));
}

/** SUBPROOF of RFC 9162 §2.1.4.1. */
function subproof(earlier, leaves, isWhole) {
  if (earlier === leaves.length) return isWhole ? [] : [root(leaves)];
  const middle = split(leaves.length);
  if (earlier <= middle) return [...subproof(earlier, leaves.slice(0, middle), isWhole), root(leaves.slice(middle))];
  return [...subproof(earlier - middle, leaves.slice(middle), false), root(leaves.slice(0, middle))];
}

/** That those at these places are in it: every largest subtree without any of them. */
function inclusion(leaves, places, first = 0) {
  const inside = places.filter((place) => place >= first && place < first + leaves.length);
  if (inside.length === 0) return [root(leaves)];
  if (leaves.length === 1) return [];
  const middle = split(leaves.length);
  return [...inclusion(leaves.slice(0, middle), inside, first), ...inclusion(leaves.slice(middle), inside, first + middle)];
}

/** The key that signs the heads of this server's log (`src/e2ee/log.rs`). */
export function logKey(server) {
  return keyOf(sha256('WebCall 1 log key\0', readFileSync(join(server.data, 'log_key'), 'utf8').trim()));
}

/** Another one. */
export const strangersKey = () => keyOf(crypto.getRandomValues(Buffer.alloc(32)));

const keyOf = (seed) => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });

const answer = (body, status = 200) => Response.json(body, { status });
const url = (bytes) => bytes.toString('base64url');

/** What the log really is, as it proves of itself: each leaf's hash stands in the proof that the log only added it. */
class RealLog {
  #by;
  /** What is there stays. @type {Buffer[]} */
  #leaves = [];

  /** `by`: who asks, and is shown the truth. */
  constructor(by) {
    this.#by = by;
  }

  async leaves() {
    const { head } = await this.#by.api.call('GET', 'e2ee/log/head');
    const size = Number(Buffer.from(head, 'base64url').readBigUInt64BE(SIZE_AT));
    if (size > 0) this.#leaves[0] ??= await this.#first(size);
    for (let at = this.#leaves.length; at < size; at += 1) {
      const { path } = await this.#by.api.call('GET', `e2ee/log/consistency?from=${at}&to=${at + 1}`);
      // Before it stands the hash of what ended where it begins, unless that is all of the earlier log.
      this.#leaves[at] = Buffer.from(path[Number.isInteger(Math.log2(at)) ? 0 : 1], 'base64url');
    }
    return this.#leaves.slice(0, size);
  }

  async #first(size) {
    if (size === 1) throw new Error('the log is to have two records');
    const { path } = await this.#by.api.call('GET', 'e2ee/log/inclusion?leaf=1');
    return Buffer.from(path[0], 'base64url');
  }
}

/**
 * The log as a malicious server shows it: it has what the real one has, but `instead`, by place, and `more`, behind all that is there when it is
 * made. Whatever comes later is behind that.
 */
export class FalseLog {
  #real;
  #instead;
  #more;
  #key;
  /** Where the first of what is more stands. */
  end = 0;
  /** The server says that it is so long; null: as long as it is. */
  size = null;
  /** Answers a question about the log instead; null: as it is. @type {(url: URL) => Response | null} */
  meddle = () => null;
  /** Questions about the log so far. @type {string[]} */
  asked = [];

  /** `by`: somebody who is signed in and is not lied to. */
  static async of(by, server, { instead = new Map(), more = [], key = logKey(server) } = {}) {
    const log = new FalseLog(new RealLog(by), instead, more, key);
    log.end = (await log.#real.leaves()).length;
    return log;
  }

  constructor(real, instead, more, key) {
    [this.#real, this.#instead, this.#more, this.#key] = [real, instead, more, key];
  }

  /** From now on this client sees it. `chains`: by user, what is shown in the place of what they published: records and their places. */
  show(client, chains = new Map()) {
    const whole = client.fetch;
    client.fetch = async (to, init) => {
      if (/\/e2ee\/log\/\w+$/.test(to.pathname)) return this.#answer(to);
      const [, user] = /\/e2ee\/users\/([\w-]+)\/keys$/.exec(to.pathname) ?? [];
      if (user === undefined) return whole(to, init);
      if (chains.has(user)) return this.#chain(chains.get(user), to);
      const response = await whole(to, init);
      if (!response.ok) return response;
      const { records } = await response.json();
      return this.#chain(records.map(({ record, leaf }) => ({ record, leaf: this.#place(leaf) })), to);
    };
    return this;
  }

  /** Where it has what the real one has at this place. */
  #place(leaf) {
    return leaf < this.end ? leaf : leaf + this.#more.length;
  }

  async #leaves() {
    const real = await this.#real.leaves();
    const leaves = [...real.slice(0, this.end), ...this.#more.map(leafHash), ...real.slice(this.end)];
    for (const [at, record] of this.#instead) leaves[at] = leafHash(record);
    return leaves.slice(0, this.size ?? undefined);
  }

  async #answer(to) {
    this.asked.push(to.pathname.split('/').at(-1) + to.search);
    const instead = this.meddle(to);
    if (instead !== null) return instead;
    if (to.pathname.endsWith('/head')) return answer({ head: url(await this.#head()) });
    const [leaves, from, length] = [await this.#leaves(), Number(to.searchParams.get('from')), Number(to.searchParams.get('to'))];
    if (from < 1 || from > length || length > leaves.length) return refused();
    return answer({ path: subproof(from, leaves.slice(0, length), true).map(url) });
  }

  async #head() {
    const leaves = await this.#leaves();
    const log = createPublicKey(this.#key).export({ format: 'der', type: 'spki' }).subarray(-32);
    const statement = Buffer.concat([log, number(leaves.length, 8), root(leaves), number(Date.now(), 8)]);
    return Buffer.concat([statement, sign(null, Buffer.concat([Buffer.from('WebCall 1 tree head\0'), statement]), this.#key)]);
  }

  async #chain(records, to) {
    const [leaves, size, places] = [await this.#leaves(), Number(to.searchParams.get('size') ?? 0), records.map(({ leaf }) => leaf)];
    const isThere = places.length > 0 && size <= leaves.length && places.every((place) => place < size);
    return answer({ records, proof: isThere ? inclusion(leaves.slice(0, size), places).map(url) : null });
  }
}

/** As the server says that there is no such proof. */
export const refused = () => answer({ type: 'about:blank', title: 'no', status: 422, code: 'invalid_sizes' }, 422);
