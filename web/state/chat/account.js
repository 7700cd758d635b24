/**
 * The conversations of one account while it is signed in: restored from the local copy, adopted from the list of rooms, fed by what comes.
 *
 * `ChatStore` makes one at log-in and closes it at log-out. Owns the archive, the outbox, the sync and the search of the account. Says `change`
 * (once for whatever happens in one go) and `status`.
 */

/** @import { Room, RoomWithMembers } from '../../api.js' */
/** @import { Entry } from '../../protocol.js' */
/** @import { ConversationRow } from './interface.js' */
/** @import { Api } from '../../net/api.js' */
/** @import { SignalSocket } from '../../net/socket.js' */
/** @import { RoomsStore } from '../rooms.js' */
/** @import { Device } from './device.js' */
/** @import { ChatKeys } from './sealed-log.js' */
/** @import { ChatStorage } from './storage.js' */

import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { blobSource, upload } from '../../net/upload.js';
import { saysEncrypted } from '../encrypted-once.js';
import { Archive } from './archive.js';
import { Conversation } from './conversation.js';
import { Outbox } from './outbox.js';
import { topOf } from './ranges.js';
import { openLog, openSealer } from './seal.js';
import { EncryptedRooms } from './encrypted-rooms.js';
import { Search } from './search.js';
import { TAIL } from './stretch.js';
import { Sync } from './sync.js';

/** @typedef {{ api: Api, socket: SignalSocket, rooms: RoomsStore, device: Device, keys: ChatKeys }} Parts */

export class Account extends EventTarget {
  #user;
  #storage;
  #parts;
  /** @type {Archive} */
  #archive;
  #outbox;
  #sync;
  #search;
  #encrypted;
  #channel;
  /** @type {Map<string, Conversation>} */
  #conversations = new Map();
  /** Rooms as the local copy has them. @type {Map<string, string>} */
  #kept = new Map();
  /** Rooms that were encrypted since the page is open, those that are gone too. @type {Set<string>} */
  #everEncrypted = new Set();
  /** Whether the list is known, from the local copy or the server. */
  #known = false;
  /** @type {readonly ConversationRow[] | null} */
  #rows = null;
  #saying = false;
  #closed = false;
  #attempt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {string | null} */
  #watched = null;

  /**
   * @param {string} user
   * @param {ChatStorage} storage
   * @param {Parts} parts
   */
  constructor(user, storage, parts) {
    super();
    const { api, device } = parts;
    this.#user = user;
    this.#storage = storage;
    this.#parts = parts;
    this.#channel = device.channel(user);
    this.#encrypted = new EncryptedRooms(parts.keys, storage, device.exclusively, {
      rooms: () => this.#newestFirst().filter(({ encrypted }) => encrypted).map(({ id }) => id),
      keep: (room, records) => this.#archive.keep(room, records),
      opened: (room, records) => this.#openedLater(room, records),
      readAgain: (room) => this.#readAgain(room),
      now: device.now,
      keysChanged: () => this.#keysChanged(),
    });
    this.#archive = new Archive(api, storage, (room) => (this.#isOpen(room) ? openLog : this.#encrypted.log));
    this.#outbox = new Outbox(
      api,
      storage,
      (room) => (this.#isOpen(room) ? openSealer : this.#encrypted.sender),
      { ...device, channel: this.#channel, upload: (room, blob, course) => upload(api, room, blobSource(blob), course), arrived: (room, entry) => this.#arrived(room, entry) },
      user,
    );
    this.#sync = new Sync(this.#archive, storage, () => this.#newestFirst(), device, user);
    this.#search = new Search(storage);
    this.#archive.addEventListener('stored', (event) => this.#stored(/** @type {CustomEvent} */ (event).detail));
    this.#outbox.addEventListener('change', (event) => this.find(/** @type {CustomEvent} */ (event).detail.room)?.outboxChanged());
    this.#sync.addEventListener('change', () => this.dispatchEvent(new Event('status')));
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.#fromOtherWindow(data);
  }

  get user() {
    return this.#user;
  }

  /** @returns {ReadonlyMap<string, number>} */
  get refused() {
    return this.#encrypted.log.refused;
  }

  get busy() {
    return this.#sync.busy;
  }

  /** Newest first; null until known. @returns {readonly ConversationRow[] | null} */
  get rows() {
    if (!this.#known) return null;
    this.#rows ??= this.#newestFirst().map(({ row }) => row);
    return this.#rows;
  }

  /** @param {string} room */
  find(room) {
    return this.#conversations.get(room) ?? null;
  }

  /** @param {string} text @param {string | null} room */
  search(text, room) {
    return this.#search.find(text, room);
  }

  /** Show what the local copy has. */
  async restore() {
    const kept = await this.#storage.load().catch(() => ({ rooms: [], members: [], drafts: [], reads: [], ranges: [] }));
    await this.#outbox.refresh().catch(() => {});
    for (const room of kept.rooms) this.#add(this.#asItWas(room));
    for (const { room, members } of kept.members) this.find(room)?.setMembers(members);
    for (const draft of kept.drafts) this.find(draft.room)?.restoreDraft(draft);
    for (const { room, seq } of kept.reads) this.find(room)?.readUpTo(seq);
    const tails = kept.ranges.map(async ({ room, ranges }) => {
      const top = topOf(ranges);
      if (top === 0) return;
      const first = Math.max(ranges.at(-1)?.[0] ?? 1, top - TAIL + 1);
      const records = await this.#storage.entries(room, first, top).catch(() => []);
      if (records.length !== top - first + 1) return;
      this.#encrypted.restored(room, records);
      this.find(room)?.stretch.restore(records);
    });
    await Promise.all(tails);
    this.#known = kept.rooms.length > 0;
    this.#say();
  }

  /** The rooms as the server tells them. @param {readonly Room[]} rooms */
  adopt(rooms) {
    this.#known = true;
    const there = new Set(rooms.map(({ id }) => id));
    for (const id of this.#conversations.keys()) if (!there.has(id)) this.#remove(id);
    for (const room of rooms.map((told) => this.#asItWas(told))) {
      const known = this.find(room.id);
      if (known && room.first_seq > known.room.first_seq) this.#search.drop(room.id, room.first_seq);
      if (known) known.setRoom(room);
      else this.#add(room);
      this.find(room.id)?.tellRead();
      this.#keep(room);
    }
    this.#sync.check();
    this.#encrypted.tend();
    this.#say();
  }

  /** @param {string | null} room */
  watch(room) {
    if (this.#watched !== null) this.find(this.#watched)?.setWatched(false);
    this.#watched = room;
    this.#encrypted.watch(room !== null && this.find(room)?.encrypted ? room : null);
    if (room === null) return;
    this.find(room)?.setWatched(true);
    void this.#loadMembers(room);
  }

  /** The socket is there. */
  up() {
    this.#sync.start();
    this.#outbox.nudge();
    void this.refreshRooms();
    if (this.#watched !== null) void this.#loadMembers(this.#watched);
  }

  down() {
    clearTimeout(this.#timer);
    this.#sync.pause();
  }

  nudge() {
    this.#outbox.nudge();
  }

  /** The page may end. */
  flush() {
    for (const conversation of this.#conversations.values()) conversation.flush();
  }

  /** Hints may have been lost: everything is compared again. */
  async refreshRooms() {
    clearTimeout(this.#timer);
    try {
      await this.#parts.rooms.load();
      this.#attempt = 0;
    } catch {
      if (this.#closed || !this.#parts.socket.isUp) return; // `up` asks again
      this.#timer = setTimeout(() => void this.refreshRooms(), backoffMs(OUTBOX_BACKOFF, this.#attempt++, this.#parts.device.random()));
    }
  }

  /** @param {string} id */
  async refreshRoom(id) {
    await this.#parts.rooms.refresh(id).catch(() => this.refreshRooms());
    if (id === this.#watched) await this.#loadMembers(id);
  }

  /** An entry came, by whatever way. @param {string} room @param {Entry} entry */
  async heard(room, entry) {
    const conversation = this.find(room);
    if (this.#closed || !conversation) return;
    if (conversation.encrypted) await this.#encrypted.inTurn(room, () => this.#heardSealed(conversation, entry));
    else conversation.take(await this.#archive.take(room, [entry]).catch(() => []), 'wait');
    if (conversation.stretch.high < conversation.stretch.lastSeq) this.#sync.check();
    if (conversation.nameOf(entry.sender) === null && room === this.#watched) void this.#loadMembers(room);
  }

  /** What was sent from here. It may have come over the socket before it was known to be sent. @param {string} room @param {Entry} entry */
  async #arrived(room, entry) {
    await this.heard(room, entry);
    this.#outbox.tookUpTo(room, this.find(room)?.stretch.high ?? 0);
  }

  /** What is ahead of a gap is fetched after what is in it: entries are judged in the order of the log. @param {Conversation} conversation @param {Entry} entry */
  async #heardSealed(conversation, entry) {
    const { id, stretch } = conversation;
    if (entry.seq === stretch.high + 1) conversation.take(await this.#archive.take(id, [entry]).catch(() => []), 'wait');
    if (stretch.high < entry.seq) stretch.heardOf(entry.seq);
  }

  /** @param {string} room @param {import('./records.js').LogRecord[]} records each by itself */
  #openedLater(room, records) {
    for (const record of records) this.find(room)?.take([record], 'wait');
  }

  /** @param {string} room */
  #readAgain(room) {
    return this.#archive.readAgain(room, (records) => {
      const high = this.find(room)?.stretch.high ?? 0;
      this.#openedLater(room, records.filter(({ seq }) => seq <= high));
    });
  }

  /** What could not be read or sent may be now. */
  #keysChanged() {
    this.#sync.check();
    this.#outbox.flush();
  }

  /** A room that is not known is none of the open ones. @param {string} room */
  #isOpen(room) {
    return this.find(room)?.encrypted === false;
  }

  close() {
    this.#closed = true;
    this.#encrypted.close();
    clearTimeout(this.#timer);
    this.#sync.stop();
    this.#outbox.stop();
    if (this.#channel) this.#channel.close();
    for (const conversation of this.#conversations.values()) conversation.dispose();
    this.#storage.close();
  }

  /** What is encrypted by its id, or was once, stays so, whatever the server says, also when it had gone from the list. @param {Room} room @returns {Room} */
  #asItWas(room) {
    if (room.encryption === 'mls' || saysEncrypted(room.id) || this.find(room.id)?.encrypted) this.#everEncrypted.add(room.id);
    return this.#everEncrypted.has(room.id) ? { ...room, encryption: 'mls' } : room;
  }

  /** The list comes often, and seldom with anything new. @param {Room} room */
  #keep(room) {
    const json = JSON.stringify(room);
    if (this.#kept.get(room.id) === json) return;
    this.#kept.set(room.id, json);
    void this.#storage.put('rooms', room).catch(() => {});
  }

  /** @param {Room} room */
  #add(room) {
    const conversation = new Conversation(room, {
      me: this.#user, api: this.#parts.api, socket: this.#parts.socket, storage: this.#storage, archive: this.#archive, outbox: this.#outbox,
      now: this.#parts.device.now, tellsRead: this.#parts.device.tellsRead, loadedLocally: (id, records) => this.#encrypted.loaded(id, records), heard: (id, entry) => this.heard(id, entry),
    });
    conversation.addEventListener('change', () => this.#say());
    this.#conversations.set(room.id, conversation);
    if (room.id === this.#watched) this.watch(room.id);
  }

  /** This user is no longer in it: nothing of it stays. @param {string} id */
  #remove(id) {
    this.find(id)?.leave();
    this.#conversations.delete(id);
    this.#kept.delete(id);
    this.#search.drop(id, Infinity);
    void this.#storage.dropRoom(id).then(() => this.#outbox.refresh()).catch(() => {});
  }

  /** @param {string} id */
  async #loadMembers(id) {
    const conversation = this.find(id);
    if (!conversation || conversation.room.kind === 'direct' || !this.#parts.socket.isUp) return;
    /** @type {RoomWithMembers | null} */
    const room = await this.#parts.rooms.details(id).catch(() => null);
    if (room === null || this.#closed) return;
    const members = room.members.map(({ user, username }) => ({ user, username }));
    conversation.setMembers(members);
    await this.#storage.put('members', { room: id, members }).catch(() => {});
  }

  /** @param {{ room: string, records: import('./records.js').LogRecord[] }} stored */
  #stored({ room, records }) {
    this.#search.follow(records);
    // Live entries come to every window by itself.
    if (records.length > 1) this.#channel?.postMessage({ kind: 'stored', room, first: records[0]?.seq, last: records.at(-1)?.seq });
  }

  /** @param {any} data */
  #fromOtherWindow(data) {
    if (data?.kind === 'outbox') void this.#outbox.refresh().then(() => this.#outbox.flush(), () => {});
    if (data?.kind === 'stored') void this.#search.followStored(String(data.room), Number(data.first), Number(data.last)).catch(() => {});
  }

  #newestFirst() {
    return [...this.#conversations.values()].sort((a, b) => b.row.lastAt - a.row.lastAt || (a.id < b.id ? -1 : 1));
  }

  #say() {
    this.#rows = null;
    if (this.#saying) return;
    this.#saying = true;
    queueMicrotask(() => {
      this.#saying = false;
      if (!this.#closed) this.dispatchEvent(new Event('change'));
    });
  }
}
