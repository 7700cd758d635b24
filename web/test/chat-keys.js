/** The keys of the tests of encrypted rooms: seals that everybody can read, judged as the worker does it. No test itself. */

import { createHash } from 'node:crypto';

import { KeysRefused } from '../e2ee/keys/page.js';
import { RoomMessages } from '../state/keys/room-messages.js';
import { toBase64Url } from '../state/chat/seal.js';

const HEADER_BYTES = 46;
const hashOf = (envelope) => createHash('sha256').update(envelope, 'base64').digest('base64');

/** An envelope, in base64: the real header's epoch, and after it what would be sealed. */
function envelopeOf({ epoch, ...body }) {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = 1;
  header.writeBigUInt64BE(BigInt(epoch), 18);
  return Buffer.concat([header, Buffer.from(JSON.stringify(body))]).toString('base64');
}

/** What the test sees in one. */
export const seen = (envelope) => ({ epoch: Number(Buffer.from(envelope, 'base64').readBigUInt64BE(18)), ...JSON.parse(Buffer.from(envelope, 'base64').subarray(HEADER_BYTES)) });

/** As the server has what somebody wrote. */
export function sealedBy(user, id, content, { epoch = 1, previous = null } = {}) {
  const envelope = envelopeOf({ epoch, user, id, content: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64'), previous });
  return { body: toBase64Url(Buffer.from(envelope, 'base64')), hash: hashOf(envelope) };
}

/** What a server's body says, as the test sees it. */
export const unsealed = (body) => JSON.parse(Buffer.from(seen(Buffer.from(body, 'base64url').toString('base64')).content, 'base64'));

/** What one browser's worker keeps; lasts over reloads. */
export class FakeDesk {
  /** What was asked for, in order: `op id`. */
  asked = [];
  /** The newest epoch that it has keys of, and the first. */
  epoch = 1;
  firstEpoch = 1;
  /** Epochs whose number has another key here: of another of the room's groups. */
  otherGroup = new Set();
  /** What the archive has of an earlier epoch; whether there is more than before. */
  recall = async () => false;
  /** Called before anything is answered; may throw or wait. */
  hook = async () => {};
  #user;
  #waiting = new Map();
  #sealed = new Set();
  #last = null;
  /** By user: what was judged. */
  #threads = new Map();

  constructor(user) {
    this.#user = user;
  }

  async ask(request, type) {
    const { op } = request;
    this.asked.push(`${op} ${request.id ?? (request.envelope ? seen(request.envelope).id : '')}`.trim());
    await this.hook(request);
    if (op === 'waiting') return { type, messages: [...this.#waiting].map(([id, envelope]) => ({ id, epoch: seen(envelope).epoch, envelope })) };
    if (op === 'seal_message') return { type, epoch: this.epoch, envelope: this.#seal(request) };
    if (op === 'sent' || op === 'unsent') return this.#settle(op, request.id);
    return { type, ...this.#open(op, request.envelope) };
  }

  #seal({ id, content }) {
    if (this.#sealed.has(`${id} ${this.epoch}`)) throw new KeysRefused('already_sealed');
    if (Buffer.from(content, 'base64').length > 16_000) throw new KeysRefused('too_long');
    this.#sealed.add(`${id} ${this.epoch}`);
    const envelope = envelopeOf({ epoch: this.epoch, user: this.#user, id, content, previous: this.#last });
    this.#waiting.set(id, envelope);
    return envelope;
  }

  #settle(op, id) {
    if (!this.#waiting.has(id)) throw new KeysRefused('nothing_pending');
    if (op === 'sent') this.#last = hashOf(this.#waiting.get(id));
    this.#waiting.delete(id);
    return { type: 'done' };
  }

  #open(op, envelope) {
    const { epoch, id, user, content, previous } = seen(envelope);
    if (epoch > this.epoch || epoch < this.firstEpoch) throw new KeysRefused('unknown_epoch');
    if (this.otherGroup.has(epoch)) throw new KeysRefused('wrong_key');
    const hash = hashOf(envelope);
    const verdict = op === 'read_message' ? null : this.#judge(user, hash, previous);
    return { id, epoch, user, device: '', kind: 1, at_ms: 1, seen: '', head: { size: 0, root: '' }, hash, verdict, content };
  }

  #judge(user, hash, previous) {
    const thread = this.#threads.get(user) ?? { last: undefined, known: new Set() };
    this.#threads.set(user, thread);
    if (thread.known.has(hash)) return 'repeated';
    const verdict = thread.last === undefined ? 'first' : thread.last === previous ? 'next' : previous === null || thread.known.has(previous) ? 'fork' : 'gap';
    thread.known.add(hash);
    thread.last = hash;
    return verdict;
  }
}

/** The keys of one window. */
export class FakeKeys extends EventTarget {
  status = 'ready';
  #account;

  constructor(desk) {
    super();
    const look = () => ({ epoch: desk.epoch });
    const groups = { current: async () => look(), toSend: async () => look(), lookOf: look, renew: async () => look(), learn: async () => {}, recall: (room, epoch) => desk.recall(room, epoch), heard: () => {} };
    this.#account = { messages: new RoomMessages(desk, () => 1, groups), sync: groups.current, hasArchive: false };
  }

  get account() {
    return this.status === 'ready' ? this.#account : null;
  }

  become(status) {
    this.status = status;
    this.dispatchEvent(new Event('change'));
  }

  /** The master key is here. */
  unlocked() {
    this.#account.hasArchive = true;
    this.dispatchEvent(new Event('archive'));
  }

  /** There are keys of before this device came. */
  remembered(room) {
    this.dispatchEvent(new CustomEvent('history', { detail: { room } }));
  }

  /** The room's group is in another epoch. */
  moved(room) {
    this.dispatchEvent(new CustomEvent('room', { detail: { room } }));
  }
}
