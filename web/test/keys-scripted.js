// A worker of the keys and a server that answer as a test says, and remember what they were asked.

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';

/** Answers by what `answers` has for an operation, or refuses with its code; remembers what it was asked. */
export class ScriptedKeys {
  constructor(answers = {}) {
    this.answers = answers;
    this.asked = [];
  }

  async begin() {
    return this.answers.begin ?? null;
  }

  async ask(request) {
    this.asked.push(request);
    const answer = this.answers[request.op] ?? {};
    const given = typeof answer === 'function' ? answer(request) : answer;
    if (typeof given === 'string') throw new KeysRefused(given);
    return given;
  }

  ops() {
    return this.asked.map(({ op }) => op);
  }
}

/** A server that keeps one chain and one backup; the first records (`overtaken`) and backups (`changed`) may be refused, as if others were faster. */
export class ScriptedDelivery {
  constructor({ chain = [], backup = null, overtaken = 0, changed = 0 } = {}) {
    Object.assign(this, { records: chain, stored: backup, overtaken, changed, published: [] });
  }

  async chain() {
    return [...this.records];
  }

  async publish(record) {
    this.overtaken -= 1;
    if (this.overtaken >= 0) throw new ApiError('out_of_order', 409);
    this.published.push(record);
    this.records.push(record);
  }

  async backup() {
    return this.stored;
  }

  async keepBackup(_slot, version, blob) {
    this.changed -= 1;
    if (this.changed >= 0 || version !== (this.stored?.version ?? 0)) return false;
    this.stored = { version: version + 1, blob };
    return true;
  }

  async dropBackup() {
    this.stored = null;
  }

  async stock() {
    return { oneTime: 50, lastResort: true };
  }
}
