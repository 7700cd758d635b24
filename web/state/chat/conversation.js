/**
 * One conversation: what is loaded of it, folded into messages, who is in it, and what can be done in it.
 *
 * What is loaded is kept by `Stretch`; what is written goes to the outbox; names, presence, typing, draft and read marker are here. Told what
 * happens by `Account`. Says `change` {reason}.
 */

/** @import { Pin, Room } from '../../api.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { ConversationRow, ConversationView, Draft, FileInfo, PendingFile, Person, Presence, Writing } from './interface.js' */
/** @import { Archive } from './archive.js' */
/** @import { Outbox, OutboxItem } from './outbox.js' */
/** @import { LogRecord } from './records.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { MAX_BODY_BYTES, MAX_SEALED_BYTES, parseBody, writeBody } from './body.js';
import { mentionsIn } from './mentions.js';
import { ReadMarker } from './read-marker.js';
import { Receipts } from './receipts.js';
import { rowOf } from './row.js';
import { Stretch } from './stretch.js';
import { Typing } from './typing.js';
import { randomUuid } from './uuid.js';
import { writingOf } from './writing.js';

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
 * @property {() => boolean} tellsRead whether the person lets others see what they have read
 * @property {(room: string, entry: Entry) => Promise<void>} heard takes an entry as if it had come over the socket
 * @property {(room: string, records: readonly LogRecord[]) => void} loadedLocally older ones came from the local copy
 */

/** @implements {ConversationView} */
export class Conversation extends EventTarget {
  #shared;
  #room;
  #stretch;
  #timeline;
  #readSeq = 0;
  #marker;
  #receipts;
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
  /** What was not sent when this user was no longer in it: here to be read and copied, as long as it is looked at. @type {OutboxItem[] | null} */
  #left = null;

  /**
   * @param {Room} room
   * @param {Surroundings} shared
   */
  constructor(room, shared) {
    super();
    this.#room = room;
    this.#shared = shared;
    this.#stretch = new Stretch(room, shared, (reason) => this.#say(reason));
    this.#timeline = this.#stretch.timeline;
    this.#typing = new Typing(() => this.#say('typing'));
    this.#marker = new ReadMarker((seq) => this.#tellRead(seq), shared.now);
    this.#marker.serverHas(room.read_seq);
    this.#receipts = new Receipts({
      me: shared.me,
      timeline: this.#timeline,
      isTold: () => this.encrypted && this.#room.kind === 'direct' && this.#left === null && shared.tellsRead(),
      waiting: () => shared.outbox.of(this.id),
      send: (id) => this.#queue(this.#written({ type: 'read', of: id })),
      discard: (id) => shared.outbox.discard(id),
      now: shared.now,
    });
    this.setMembers(room.people);
    this.#readSeq = room.read_seq;
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
      room: this.#room, me: this.#shared.me, timeline: this.#timeline, stretch: this.#stretch, readSeq: this.#readSeq,
      draft: this.#draft.text, nameOf: (user) => this.nameOf(user),
    });
    return this.#row;
  }

  get encrypted() {
    return this.#room.encryption === 'mls';
  }

  get role() {
    return this.#room.role;
  }

  /** @returns {Writing} */
  get writing() {
    const { wroteAt, refusedUntil } = this.#shared.outbox.paceOf(this.id);
    return writingOf(this.#left === null ? this.#room : null, { wroteAt: Math.max(wroteAt, this.#stretch.wroteAt), refusedUntil }, this.#shared.now());
  }

  get loaded() {
    return this.#stretch.loaded;
  }

  /** For the sync: which entries are there, and which should be. */
  get stretch() {
    return this.#stretch;
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
    return this.#stretch.hasMoreBefore;
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

  get seenBy() {
    return this.#receipts.seenBy;
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
    this.#room = room;
    this.#marker.serverHas(room.read_seq);
    this.#readSeq = Math.max(this.#readSeq, room.read_seq);
    if (room.kind === 'direct') this.setMembers(room.people);
    this.#stretch.setBounds(room);
    this.#say('row');
  }

  /** Entries came. @param {LogRecord[]} records @param {'wait' | 'replace'} gap what to do when there is a gap before them */
  take(records, gap) {
    this.#stretch.take(records, gap);
    for (const { sender } of records) this.#typing.stopped(sender);
  }

  /** @param {readonly Person[]} members */
  setMembers(members) {
    this.#members = members;
    for (const { user, username } of members) this.#names.set(user, username);
    this.#say('people');
  }

  outboxChanged() {
    const items = this.#shared.outbox.of(this.id);
    this.#timeline.setOutbox(items);
    // A refused reaction or receipt has no place where it could be shown as such: it was never there.
    for (const { id, state, content } of items) if (state === 'failed' && ['reaction', 'read'].includes(parseBody(content).type)) void this.#shared.outbox.discard(id);
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

  /** Who is there will be told anew. */
  forgetPresence() {
    this.#presence.clear();
  }

  /** Somebody begins or ends looking at it. @param {boolean} watched */
  setWatched(watched) {
    this.#unreadFrom = watched ? this.#readSeq : null;
    if (!watched) this.flush();
    this.#presence.clear();
    this.#stretch.keep(watched);
  }

  /** @param {Draft} draft as it was kept */
  restoreDraft({ text, replyTo }) {
    this.#draft = { text, replyTo };
    this.#say('row');
  }

  /** This user is no longer in it. What still waits will never be sent. */
  leave() {
    this.#left = this.#shared.outbox.of(this.id).map((item) => ({ ...item, state: 'failed', code: 'room_not_found' }));
    this.#timeline.setOutbox(this.#left);
    this.dispose();
    this.#say('messages');
  }

  /** The page may end: what was put off is done. */
  flush() {
    this.#marker.flush();
    this.#receipts.flush();
  }

  dispose() {
    this.#typing.clear();
    this.#marker.stop();
    this.#receipts.stop();
  }

  // What the views do.

  loadBefore() {
    return this.#stretch.loadBefore();
  }

  /** @param {string} id */
  jumpTo(id) {
    return this.#stretch.jumpTo(id);
  }

  trim() {
    this.#stretch.trim();
  }

  /** @param {{ text: string, replyTo?: string | null, files?: readonly FileInfo[], uploads?: readonly PendingFile[] }} message */
  async send({ text, replyTo = null, files = [], uploads = [] }) {
    // They would be as they are at the server.
    if (this.encrypted && [...files, ...uploads.map(({ info }) => info)].some(({ sealed }) => sealed === undefined)) throw new ApiError('files_not_encrypted', 0);
    const kept = uploads.map(({ blob, remote, info }) => ({ local: randomUuid(), remote, blob, info }));
    const all = [...files, ...kept.map(({ local, info }) => ({ id: local, ...info }))];
    const content = this.#written({ type: 'text', text, replyTo, mentions: mentionsIn(text, this.#members), files: all });
    this.#saidTypingAt = -Infinity;
    return this.#queue(content, files.map(({ id }) => id), kept);
  }

  /** @param {string} id @param {string} text */
  async edit(id, text) {
    const message = this.find(id);
    if (text.trim() === '' && !message?.files.length) throw new ApiError('invalid_body', 0);
    await this.#queue(this.#written({ type: 'edit', of: id, text, mentions: mentionsIn(text, this.#members) }));
  }

  /** @param {string} id @param {string} emoji @param {boolean} on */
  async react(id, emoji, on) {
    await this.#queue(this.#written({ type: 'reaction', to: id, emoji, on }));
  }

  /** @param {string} id */
  async remove(id) {
    if (this.find(id)?.state !== 'sent') return this.#left === null ? this.#shared.outbox.discard(id) : this.#putAside(id);
    for (const item of this.#shared.outbox.of(this.id)) if (this.#timeline.isAbout(item, id)) await this.#shared.outbox.discard(item.id);
    const parts = this.#timeline.partsOf(id);
    await this.#act('DELETE', `messages/${id}`);
    // One that is gone already, or could not go, changes nothing about the message.
    for (const part of parts) await this.#act('DELETE', `messages/${part}`).catch(() => {});
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
      const record = await this.#shared.archive.look(this.id, message);
      return record.kind === 'message' ? [{ message: { ...this.#timeline.look(record), pinned: true }, pinnedBy, pinnedAt }] : [];
    });
    return (await Promise.all(looks)).flat().sort((a, b) => b.pinnedAt - a.pinnedAt);
  }

  /** @param {string} id */
  async retry(id) {
    if (this.#left !== null) throw new ApiError('room_not_found', 404);
    for (const item of this.#failed(id)) await this.#shared.outbox.retry(item.id);
  }

  /** @param {string} id */
  async discard(id) {
    if (this.#left !== null) this.#putAside(id);
    else if (this.find(id)?.state === 'waiting') await this.#shared.outbox.discard(id);
    for (const item of this.#failed(id)) await this.#shared.outbox.discard(item.id);
  }

  markRead() {
    const { high } = this.#stretch;
    this.#receipts.read();
    if (high <= this.#readSeq) return;
    this.readUpTo(high);
    this.tellRead();
  }

  /** The server learns the read marker soon, or when the next list shows that it has an older one. */
  tellRead() {
    const seq = Math.min(this.#readSeq, this.#stretch.lastSeq);
    if (seq > this.#room.read_seq) this.#marker.set(seq);
  }

  /** @param {Draft} draft */
  setDraft({ text, replyTo }) {
    this.#draft = { text, replyTo };
    if (this.#left === null) void this.#shared.storage.put('drafts', { room: this.id, text, replyTo }).catch(() => {});
    this.#say('row');
  }

  /** It is being written: so that it can be kept at once, should the page end. @param {Draft} draft */
  readyDraft({ text, replyTo }) {
    if (this.#left === null) void this.#shared.storage.ready({ room: this.id, text, replyTo }).catch(() => {});
  }

  typing() {
    const now = this.#shared.now();
    // The server takes it for the watched conversation.
    if (this.#unreadFrom === null) return;
    if (now - this.#saidTypingAt < TYPING_INTERVAL_MS || !this.#shared.socket.isUp) return;
    this.#saidTypingAt = now;
    // Refused while the server does not know yet what is watched: the next keystroke says it again.
    this.#shared.socket.request({ type: 'typing' }).catch(() => {
      this.#saidTypingAt = -Infinity;
    });
  }

  // How it does that.

  /** @param {Exclude<import('./body.js').Body, { type: 'unknown' }>} body */
  #written(body) {
    return writeBody(body, this.encrypted ? MAX_SEALED_BYTES : MAX_BODY_BYTES);
  }

  /** @param {number} seq */
  #tellRead(seq) {
    void this.#shared.storage.put('reads', { room: this.id, seq }).catch(() => {});
    return this.#shared.socket.request({ type: 'mark_read', room: this.id, seq });
  }

  /**
   * @param {string | null} content
   * @param {string[]} [files]
   * @param {readonly { local: string, remote: string | null, blob: Blob }[]} [kept]
   */
  async #queue(content, files = [], kept = []) {
    if (this.#left !== null) throw new ApiError('room_not_found', 404);
    if (content === null) throw new ApiError('invalid_body', 0);
    const id = randomUuid();
    await this.#shared.outbox.add({ id, room: this.id, content, files }, kept);
    return id;
  }

  /** @param {'PUT' | 'DELETE'} method @param {string} path */
  async #act(method, path) {
    /** @type {Entry} */
    const entry = await this.#shared.api.call(method, `rooms/${this.id}/${path}`);
    await this.#shared.heard(this.id, entry);
  }

  /** @param {string} id */
  #putAside(id) {
    this.#left = this.#left?.filter((item) => item.id !== id && !this.#timeline.isAbout(item, id)) ?? null;
    this.#timeline.setOutbox(this.#left ?? []);
    this.#say('messages');
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
