/**
 * One conversation: the part of its log that is loaded, folded into messages, and what can be done in it.
 *
 * What is loaded is one stretch of the log without gaps, up to the newest entry that came (`#low` to `#high`), so that no edit or deletion of
 * something that is shown is missing. Entries that come ahead of a gap wait for it to be filled. Feeds on `Archive` and the local copy; `Sync`
 * decides what is fetched. Says `change` {reason}.
 */

/** @import { Pin, Room } from '../../api.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { ConversationRow, ConversationView, Draft, FileInfo, Person, Presence } from './interface.js' */
/** @import { Archive } from './archive.js' */
/** @import { Outbox } from './outbox.js' */
/** @import { LogRecord } from './records.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { parseBody, writeBody } from './body.js';
import { mentionsIn } from './mentions.js';
import { rangeWith } from './ranges.js';
import { rowOf } from './row.js';
import { Timeline } from './timeline.js';
import { Typing } from './typing.js';
import { randomUuid } from './uuid.js';

/** Read from the local copy at once: a few screens, in a few milliseconds. */
const LOCAL_PAGE = 500;
/** Kept in memory of a conversation that nobody looks at. */
export const TAIL = 200;
/** Of a conversation that nobody looks at, this many may gather before it is cut to its tail. */
const MAX_IDLE = 1_000;
/** A jump to a message that the local copy has. */
const JUMP_PAGE = 5_000;
/** How far back a jump looks for a message that the local copy does not have: 10,000 entries on the server. */
const MAX_JUMP_PAGES = 50;
/** Pages of nothing but reactions and edits are passed over, this many in one go. */
const MAX_EMPTY_PAGES = 20;
/** Entries ahead of a gap; what is beyond is in the local copy and fetched again. */
const MAX_AHEAD = 500;
const TYPING_INTERVAL_MS = 3_000;

/**
 * @typedef {object} Surroundings what all conversations share
 * @property {string} me
 * @property {import('../../net/api.js').Api} api
 * @property {Pick<import('../../net/socket.js').SignalSocket, 'isUp' | 'request'>} socket
 * @property {ChatStorage} storage
 * @property {Archive} archive
 * @property {Outbox} outbox
 * @property {() => number} now
 * @property {(room: string, entry: Entry) => Promise<void>} heard takes an entry as if it had come over the socket
 */

/** @implements {ConversationView} */
export class Conversation extends EventTarget {
  #shared;
  #room;
  #timeline;
  #low = 1;
  #high = 0;
  /** @type {Map<number, LogRecord>} */
  #ahead = new Map();
  #loaded = false;
  #readSeq = 0;
  /** Where the unread line stands while somebody looks. @type {number | null} */
  #unreadFrom = null;
  /** @type {readonly Person[]} */
  #members = [];
  /** @type {Map<string, string>} */
  #names = new Map();
  /** @type {Map<string, Presence>} */
  #presence = new Map();
  #typing;
  #saidTypingAt = -Infinity;
  /** @type {Draft} */
  #draft = { text: '', replyTo: null };
  /** @type {ConversationRow | null} */
  #row = null;
  /** @type {Promise<void> | null} */
  #loading = null;

  /**
   * @param {Room} room
   * @param {Surroundings} shared
   */
  constructor(room, shared) {
    super();
    this.#room = room;
    this.#shared = shared;
    this.#timeline = new Timeline(shared.me);
    this.#typing = new Typing(() => this.#say('typing'));
    this.setMembers(room.people);
    this.#readSeq = room.read_seq;
    this.#loaded = room.last_seq === 0;
    this.outboxChanged();
  }

  get id() {
    return this.#room.id;
  }

  /** As the server last told it. */
  get room() {
    return this.#room;
  }

  /** @returns {ConversationRow} */
  get row() {
    this.#row ??= rowOf({
      room: this.#room, me: this.#shared.me, timeline: this.#timeline, low: this.#low, high: this.#high, readSeq: this.#readSeq,
      draft: this.#draft.text, nameOf: (user) => this.nameOf(user),
    });
    return this.#row;
  }

  get loaded() {
    return this.#loaded;
  }

  /** The number of the newest entry that is loaded without a gap; 0: none. */
  get high() {
    return this.#high;
  }

  /** The newest entry known of. */
  get lastSeq() {
    return Math.max(this.#room.last_seq, this.#high, ...this.#ahead.keys());
  }

  get readSeq() {
    return this.#readSeq;
  }

  get length() {
    return this.#timeline.length;
  }

  /** @param {number} index */
  at(index) {
    return this.#timeline.at(index);
  }

  /** @param {number} from @param {number} to */
  slice(from, to) {
    return this.#timeline.slice(from, to);
  }

  /** @param {string} id */
  indexOf(id) {
    return this.#timeline.indexOf(id);
  }

  /** @param {string} id */
  find(id) {
    return this.#timeline.find(id);
  }

  get hasMoreBefore() {
    return this.#high > 0 && this.#low > this.#room.first_seq;
  }

  get members() {
    return this.#members;
  }

  /** @param {string} user @returns {string | null} */
  nameOf(user) {
    return this.#names.get(user) ?? null;
  }

  get typingUsers() {
    return this.#typing.users;
  }

  /** @param {string} user @returns {Presence} */
  presenceOf(user) {
    return this.#presence.get(user) ?? 'offline';
  }

  get firstUnreadId() {
    return this.#timeline.firstOfOthersAfter(this.#unreadFrom ?? this.#readSeq)?.id ?? null;
  }

  get draft() {
    return this.#draft;
  }

  // What the store and the sync tell it.

  /** @param {Room} room */
  setRoom(room) {
    // A list that was on its way may be older than what came over the socket.
    const firstSeq = Math.max(room.first_seq, this.#room.first_seq);
    this.#room = { ...room, first_seq: firstSeq };
    this.#readSeq = Math.max(this.#readSeq, room.read_seq);
    if (room.kind === 'direct') this.setMembers(room.people);
    if (room.last_seq === 0) this.#loaded = true;
    if (firstSeq > this.#low && this.#high > 0) {
      this.#timeline.dropBelow(firstSeq);
      this.#low = Math.min(firstSeq, this.#high + 1);
      this.#say('messages');
    } else this.#say('row');
  }

  /** @param {readonly Person[]} members */
  setMembers(members) {
    this.#members = members;
    for (const { user, username } of members) this.#names.set(user, username);
    this.#say('people');
  }

  /** The newest from the local copy. @param {LogRecord[]} records */
  restore(records) {
    if (this.#high === 0) this.#start(records, 'messages');
  }

  /**
   * @param {LogRecord[]} records that follow one another without a gap
   * @param {'wait' | 'replace'} gap what to do when there is a gap before them
   */
  take(records, gap) {
    const first = records[0]?.seq;
    if (first === undefined) return;
    if (this.#high === 0) this.#start(records, 'messages');
    else if (first <= this.#high + 1) this.#extend(records);
    else if (gap === 'replace') this.#start(records, 'reset');
    else for (const record of records) if (this.#ahead.size < MAX_AHEAD) this.#ahead.set(record.seq, record);
    for (const { sender } of records) this.#typing.stopped(sender);
  }

  /** Retention left nothing, or nobody wrote yet. @param {number} lastSeq */
  nothingUpTo(lastSeq) {
    if (this.#high < lastSeq) this.#start([], 'messages');
    this.#high = Math.max(this.#high, lastSeq);
    this.#low = this.#high + 1;
    this.#say('messages');
  }

  /** The server's log is another one now (it was restored from a backup): nothing of it is known. */
  forget() {
    this.#ahead.clear();
    this.#timeline.clear();
    this.#low = 1;
    this.#high = 0;
    this.#loaded = false;
    this.#say('reset');
  }

  outboxChanged() {
    const items = this.#shared.outbox.of(this.id);
    this.#timeline.setOutbox(items);
    // A refused reaction has no place where it could be shown as such: it was never there.
    for (const { id, state, content } of items) if (state === 'failed' && parseBody(content).type === 'reaction') void this.#shared.outbox.discard(id);
    this.#say('messages');
  }

  /** @param {number} seq */
  readUpTo(seq) {
    if (seq <= this.#readSeq) return;
    this.#readSeq = seq;
    this.#say('row');
  }

  /** @param {string} user */
  heardTyping(user) {
    if (user !== this.#shared.me) this.#typing.heard(user);
  }

  /** @param {readonly { user: string, state: Presence }[]} users */
  heardPresence(users) {
    for (const { user, state } of users) {
      if (state === 'offline') this.#presence.delete(user);
      else this.#presence.set(user, state);
    }
    this.#say('presence');
  }

  /** Somebody begins or ends looking at it. @param {boolean} watched */
  setWatched(watched) {
    this.#unreadFrom = watched ? this.#readSeq : null;
    this.#presence.clear();
    if (!watched) this.trim();
  }

  /** @param {Draft} draft as it was kept */
  restoreDraft({ text, replyTo }) {
    this.#draft = { text, replyTo };
    this.#say('row');
  }

  dispose() {
    this.#typing.clear();
  }

  // What the views do.

  loadBefore() {
    this.#loading ??= this.#loadSome().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  /** @param {string} id */
  async jumpTo(id) {
    if (this.indexOf(id) >= 0) return true;
    await this.#loading;
    const known = await this.#shared.storage.find(this.id, id).catch(() => undefined);
    for (let page = 0; page < MAX_JUMP_PAGES && this.hasMoreBefore && this.indexOf(id) < 0; page += 1) {
      const missing = known ? this.#low - known.seq : 0;
      if (known && missing <= 0) break;
      await this.#loadPage(Math.max(LOCAL_PAGE, Math.min(JUMP_PAGE, missing + TAIL)));
    }
    this.#say('messages');
    return this.indexOf(id) >= 0;
  }

  trim() {
    if (this.#timeline.length <= 2 * TAIL || this.#loading !== null) return;
    const first = Math.max(this.#low, this.#high - TAIL + 1);
    const high = this.#high;
    void this.#shared.storage.entries(this.id, first, high).then((records) => {
      // Something came meanwhile, or the local copy has not all of it: another time.
      if (this.#unreadFrom !== null || this.#high !== high || records.length !== high - first + 1) return;
      this.#start(records, 'reset');
    }, () => {});
  }

  /** @param {{ text: string, replyTo?: string | null, files?: readonly FileInfo[] }} message */
  async send({ text, replyTo = null, files = [] }) {
    const content = writeBody({ type: 'text', text, replyTo, mentions: mentionsIn(text, this.#members), files: [...files] });
    this.#saidTypingAt = -Infinity;
    return this.#queue(content, files.map(({ id }) => id));
  }

  /** @param {string} id @param {string} text */
  async edit(id, text) {
    const message = this.find(id);
    if (text.trim() === '' && !message?.files.length) throw new ApiError('invalid_body', 0);
    await this.#queue(writeBody({ type: 'edit', of: id, text, mentions: mentionsIn(text, this.#members) }));
  }

  /** @param {string} id @param {string} emoji @param {boolean} on */
  async react(id, emoji, on) {
    await this.#queue(writeBody({ type: 'reaction', to: id, emoji, on }));
  }

  /** @param {string} id */
  async remove(id) {
    if (this.find(id)?.state !== 'sent') return this.#shared.outbox.discard(id);
    const edits = this.#timeline.editsOf(id);
    await this.#act('DELETE', `messages/${id}`);
    // The text stands in the edits too. One that is gone already, or could not go, changes nothing about the message.
    for (const edit of edits) await this.#act('DELETE', `messages/${edit}`).catch(() => {});
  }

  /** @param {string} id */
  pin(id) {
    return this.#act('PUT', `pins/${id}`);
  }

  /** @param {string} id */
  unpin(id) {
    return this.#act('DELETE', `pins/${id}`);
  }

  async pins() {
    /** @type {{ pins: Pin[] }} */
    const { pins } = await this.#shared.api.call('GET', `rooms/${this.id}/pins`);
    const looks = pins.map(async ({ message, pinned_by: pinnedBy, pinned_at: pinnedAt }) => {
      const [record] = await this.#shared.archive.take(this.id, [message]);
      return { message: { ...this.#timeline.look(/** @type {LogRecord} */ (record)), pinned: true }, pinnedBy, pinnedAt };
    });
    return (await Promise.all(looks)).sort((a, b) => b.pinnedAt - a.pinnedAt);
  }

  /** @param {string} id */
  async retry(id) {
    for (const item of this.#failed(id)) await this.#shared.outbox.retry(item.id);
  }

  /** @param {string} id */
  async discard(id) {
    for (const item of this.#failed(id)) await this.#shared.outbox.discard(item.id);
  }

  markRead() {
    if (this.#high <= this.#readSeq) return;
    this.readUpTo(this.#high);
    void this.#shared.storage.put('reads', { room: this.id, seq: this.#high }).catch(() => {});
    this.tellRead();
  }

  /** The server learns the read marker now, or when the next list shows that it has an older one. */
  tellRead() {
    const seq = Math.min(this.#readSeq, this.lastSeq);
    if (seq > this.#room.read_seq) this.#shared.socket.request({ type: 'mark_read', room: this.id, seq }).catch(() => {});
  }

  /** @param {Draft} draft */
  setDraft({ text, replyTo }) {
    this.#draft = { text, replyTo };
    void this.#shared.storage.put('drafts', { room: this.id, text, replyTo }).catch(() => {});
    this.#say('row');
  }

  typing() {
    const now = this.#shared.now();
    if (now - this.#saidTypingAt < TYPING_INTERVAL_MS || !this.#shared.socket.isUp) return;
    this.#saidTypingAt = now;
    this.#shared.socket.request({ type: 'typing', room: this.id }).catch(() => {});
  }

  // How it does that.

  /** @param {LogRecord[]} records @param {'messages' | 'reset'} reason */
  #start(records, reason) {
    this.#timeline.clear();
    this.#low = records[0]?.seq ?? 1;
    this.#high = records.at(-1)?.seq ?? 0;
    this.#put(records);
    this.#loaded = true;
    this.#drain();
    this.#say(reason);
  }

  /** @param {LogRecord[]} records */
  #extend(records) {
    const wanted = records.filter(({ seq }) => seq >= this.#low);
    this.#high = Math.max(this.#high, records.at(-1)?.seq ?? 0);
    this.#put(wanted);
    this.#drain();
    if (this.#unreadFrom === null && this.#timeline.length > MAX_IDLE) this.trim();
    this.#say('messages');
  }

  /** What waited for a gap that is filled now. */
  #drain() {
    for (let next = this.#ahead.get(this.#high + 1); next; next = this.#ahead.get(this.#high + 1)) {
      this.#high += 1;
      this.#put([next]);
    }
    for (const seq of this.#ahead.keys()) if (seq <= this.#high) this.#ahead.delete(seq);
  }

  /** @param {LogRecord[]} records */
  #put(records) {
    this.#timeline.put(records);
    if (this.#room.last_seq < this.#high) this.#room = { ...this.#room, last_seq: this.#high };
    for (const { id, sender } of records) if (sender === this.#shared.me) this.#shared.outbox.took(id);
  }

  async #loadSome() {
    const before = this.#timeline.length;
    for (let page = 0; page < MAX_EMPTY_PAGES && this.hasMoreBefore && this.#timeline.length === before; page += 1) await this.#loadPage(LOCAL_PAGE);
    this.#say('messages');
  }

  /** @param {number} wanted */
  async #loadPage(wanted) {
    const low = this.#low;
    const records = (await this.#loadLocal(low - 1, wanted)) ?? (await this.#shared.archive.fetch(this.id, { before: low })).records;
    // The window was replaced meanwhile.
    if (low !== this.#low) return;
    if (records.length === 0) this.#room = { ...this.#room, first_seq: low };
    this.#timeline.put(records);
    this.#low = records[0]?.seq ?? low;
  }

  /** @param {number} last @param {number} wanted @returns {Promise<LogRecord[] | null>} null when the server has to be asked */
  async #loadLocal(last, wanted) {
    const { storage } = this.#shared;
    try {
      const range = rangeWith(await storage.ranges(this.id), last);
      if (range === null) return null;
      const first = Math.max(range[0], this.#room.first_seq, last - wanted + 1);
      const records = await storage.entries(this.id, first, last);
      return records.length === last - first + 1 ? records : null;
    } catch {
      return null;
    }
  }

  /** @param {string | null} content @param {string[]} [files] */
  async #queue(content, files = []) {
    if (content === null) throw new ApiError('invalid_body', 0);
    const id = randomUuid();
    await this.#shared.outbox.add({ id, room: this.id, content, files });
    return id;
  }

  /** @param {'PUT' | 'DELETE'} method @param {string} path */
  async #act(method, path) {
    /** @type {Entry} */
    const entry = await this.#shared.api.call(method, `rooms/${this.id}/${path}`);
    await this.#shared.heard(this.id, entry);
  }

  /** The message itself, or an edit of it, that was refused. @param {string} id */
  #failed(id) {
    return this.#shared.outbox.of(this.id).filter((item) => item.state === 'failed' && (item.id === id || this.#timeline.isAbout(item, id)));
  }

  /** @param {'messages' | 'reset' | 'people' | 'typing' | 'presence' | 'row'} reason */
  #say(reason) {
    if (reason !== 'typing' && reason !== 'presence') this.#row = null;
    this.dispatchEvent(new CustomEvent('change', { detail: { reason } }));
  }
}
