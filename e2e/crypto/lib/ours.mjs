// A device of ours: the desk in its WebAssembly, asked in JSON as the page's worker asks it (`web/e2ee/keys/interface.d.ts`).

import assert from 'node:assert/strict';

import { base64, fromBase64 } from './bytes.mjs';

export class OurDevice {
  #desk;
  /** Sealed states by name, as the worker's storage has them. */
  #kept = new Map();
  /** Whom it may add. */
  known = new Set();

  /** The first device of `user`, published. */
  constructor(Desk, user, published) {
    this.user = user;
    this.#desk = Desk.open(crypto.getRandomValues(new Uint8Array(32)));
    const { records } = this.does({ op: 'first', user, now_ms: 1 });
    published.add(user, records.map(fromBase64));
  }

  /** As the worker's door does: opens what a request needs and makes it again, then keeps what it changed. */
  #ask(request) {
    let outcome = this.#handle(request);
    while (outcome.needs !== null) {
      const { error } = this.#handle({ op: 'open_state', name: outcome.needs, sealed: this.#kept.get(outcome.needs) ?? null });
      assert.equal(error, undefined, `${outcome.needs} of ${this.user}`);
      outcome = this.#handle(request);
    }
    for (const { name, sealed } of outcome.keep) this.#kept.set(name, sealed);
    return outcome;
  }

  #handle(request) {
    return JSON.parse(this.#desk.handle(JSON.stringify(request)));
  }

  /** The answer; what is refused fails the test. */
  does(request) {
    const { answer, error } = this.#ask(request);
    assert.equal(error, undefined, `${request.op} of ${this.user}`);
    return answer;
  }

  /** The code of the refusal, after which nothing is to be kept; undefined if it was done. */
  refusal(request) {
    const { error, keep } = this.#ask(request);
    if (error !== undefined) assert.deepEqual(keep, [], 'nothing is kept of what failed');
    return error;
  }

  learns(published) {
    for (const [user, records] of published) {
      this.does({ op: 'learn', user, records: records.map(base64) });
      this.known.add(user);
    }
  }

  keyPackage() {
    return fromBase64(this.does({ op: 'key_packages', count: 1, last_resort: false }).packages[0]);
  }

  /** A new group that the server took. */
  creates(group, stay = null) {
    this.does({ op: 'create', group, stay });
    return this.does({ op: 'accepted', group });
  }

  /** A commit that waits for the server's answer. */
  proposes(group, { add = [], remove = [] } = {}) {
    const { outgoing } = this.does({ op: 'change', group, add: add.map(base64), users: [...this.known], remove });
    return { commit: fromBase64(outgoing.commit), welcome: outgoing.welcome === null ? null : fromBase64(outgoing.welcome) };
  }

  accepted(group) {
    return this.does({ op: 'accepted', group });
  }

  joins(welcome) {
    return this.does({ op: 'join', welcome: base64(welcome) });
  }

  process(group, commit) {
    return this.does({ op: 'process', group, commit: base64(commit) }).change;
  }

  look(group) {
    return this.does({ op: 'look', group });
  }

  /** Which epoch it is in. */
  at(group) {
    const { epoch, authenticator } = this.look(group);
    return { epoch, authenticator };
  }

  leaf(group) {
    return this.look(group).leaf;
  }

  say(group, text) {
    return fromBase64(this.does({ op: 'say', group, plaintext: base64(Buffer.from(text)) }).message);
  }

  /** The text and who said it. */
  hear(group, message) {
    const { plaintext, user } = this.does({ op: 'hear', group, message: base64(message) });
    return { text: Buffer.from(plaintext, 'base64').toString(), user };
  }
}
