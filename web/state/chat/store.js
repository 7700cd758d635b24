/**
 * The chat of the signed-in user: all conversations, kept in step with the server, and what is searched in them.
 *
 * Follows the session: with somebody signed in the socket is open (calls use the same one) and the local copy is there; at log-out both are gone.
 * Makes the parts (local copy, archive, outbox, sync, search) and ties them together; each of them does its own work. Says `change` and `status`.
 */

/** @import { ServerMessage } from '../../protocol.js' */
/** @import { ChatView, ConversationRow, SearchResult } from './interface.js' */
/** @import { Api } from '../../net/api.js' */
/** @import { SignalSocket } from '../../net/socket.js' */
/** @import { RoomsStore } from '../rooms.js' */
/** @import { SessionStore } from '../session.js' */
/** @import { Device } from './device.js' */
/** @import { LogRecord } from './records.js' */
/** @import { ChatKeys } from './sealed-log.js' */

import { OUTBOX_BACKOFF, backoffMs } from '../../backoff.js';
import { Account } from './account.js';

/** Close reasons of the socket after which a fresh connection is right. */
const COME_BACK = new Set(['connection_replaced']);

/** @implements {ChatView} */
export class ChatStore extends EventTarget {
  #api;
  #socket;
  #session;
  #rooms;
  #device;
  #keys;
  /** @type {Account | null} */
  #account = null;
  /** Rises with every log-in and log-out, so that a slow opening of the local copy is known to be late. */
  #turn = 0;
  #away = false;
  /** @type {string | null} */
  #watched = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #telling;

  /**
   * @param {Api} api
   * @param {SignalSocket} socket
   * @param {SessionStore} session
   * @param {RoomsStore} rooms
   * @param {Device} device
   * @param {ChatKeys} keys
   */
  constructor(api, socket, session, rooms, device, keys) {
    super();
    this.#api = api;
    this.#socket = socket;
    this.#session = session;
    this.#rooms = rooms;
    this.#device = device;
    this.#keys = keys;
    session.addEventListener('change', () => void this.#sessionChanged());
    rooms.addEventListener('change', () => this.#account?.adopt(rooms.rooms ?? []));
    socket.addEventListener('up', (event) => this.#up(/** @type {CustomEvent} */ (event).detail.resumed));
    socket.addEventListener('down', () => this.#down());
    socket.addEventListener('message', (event) => this.#message(/** @type {CustomEvent} */ (event).detail));
    socket.addEventListener('ended', (event) => this.#ended(/** @type {CustomEvent} */ (event).detail.code));
  }

  /** @returns {readonly ConversationRow[] | null} */
  get conversations() {
    return this.#account?.rows ?? null;
  }

  /** @returns {ReadonlyMap<string, number>} */
  get refused() {
    return this.#account?.refused ?? new Map();
  }

  /** @param {string} room */
  conversation(room) {
    return this.#account?.find(room) ?? null;
  }

  get unread() {
    const rows = this.#account?.rows ?? [];
    return { messages: sum(rows.map(({ unread }) => unread)), mentions: sum(rows.map(({ mentions }) => mentions)) };
  }

  get status() {
    if (!this.#socket.isUp || this.#account === null) return 'offline';
    return this.#account.busy ? 'syncing' : 'online';
  }

  /** @param {string | null} room */
  watch(room) {
    if (room === this.#watched) return;
    this.#watched = room;
    this.#account?.watch(room);
    this.#tellWatched();
  }

  /** @param {boolean} away */
  setAway(away) {
    if (away === this.#away) return;
    this.#away = away;
    if (away) this.flush();
    this.#tell({ type: 'away', away });
    if (!away) this.#account?.nudge();
  }

  /** The page may end: what was put off is told while the connection is there. */
  flush() {
    this.#account?.flush();
  }

  /**
   * @param {string} text
   * @param {{ room?: string }} [where]
   * @returns {Promise<{ results: SearchResult[], total: number }>}
   */
  async search(text, { room } = {}) {
    const account = this.#account;
    if (account === null) return { results: [], total: 0 };
    const { results, total } = await account.search(text, room ?? null);
    return { total, results: results.map(({ record, text: found }) => this.#resultOf(record, found)) };
  }

  /** @param {LogRecord} record @param {string} text @returns {SearchResult} */
  #resultOf({ room, id, seq, sender, at }, text) {
    const conversation = this.#account?.find(room);
    return { room, roomTitle: conversation?.row.title ?? '', id, seq, sender, senderName: conversation?.nameOf(sender) ?? null, at, text };
  }

  async #sessionChanged() {
    const { status, user } = this.#session;
    if (status === 'signed-in' && user !== null) {
      if (this.#account?.user !== user.id) await this.#enter(user.id);
    } else if (status === 'signed-out') await this.#leave();
  }

  /** @param {string} user */
  async #enter(user) {
    this.#close();
    const turn = ++this.#turn;
    this.#socket.connect();
    void this.#device.forgetAllBut(() => user);
    const storage = await this.#device.open(user);
    if (turn !== this.#turn) return storage.close();
    const account = new Account(user, storage, { api: this.#api, socket: this.#socket, rooms: this.#rooms, device: this.#device, keys: this.#keys });
    account.addEventListener('change', () => turn === this.#turn && this.dispatchEvent(new Event('change')));
    account.addEventListener('status', () => turn === this.#turn && this.dispatchEvent(new Event('status')));
    await account.restore();
    if (turn !== this.#turn) return account.close();
    this.#account = account;
    account.watch(this.#watched);
    if (this.#rooms.rooms !== null) account.adopt(this.#rooms.rooms);
    if (this.#socket.isUp) account.up();
    this.dispatchEvent(new Event('change'));
    this.dispatchEvent(new Event('status'));
  }

  /** Nothing of an account stays on a device where nobody is signed in; of who has signed in since, everything. */
  async #leave() {
    this.#turn += 1;
    this.#close();
    this.#socket.close();
    await this.#device.forgetAllBut(() => this.#session.signedInSince);
  }

  #close() {
    this.#account?.close();
    this.#account = null;
    this.#watched = null;
    this.dispatchEvent(new Event('change'));
    this.dispatchEvent(new Event('status'));
  }

  /** @param {boolean} resumed */
  #up(resumed) {
    // A connection that goes on remembers what it was told last, which may not be what was meant since.
    if (resumed || this.#watched !== null) this.#tellWatched();
    if (resumed || this.#away) this.#tell({ type: 'away', away: this.#away });
    this.#account?.up();
    this.dispatchEvent(new Event('status'));
  }

  #down() {
    this.#account?.down();
    this.dispatchEvent(new Event('status'));
  }

  /** @param {string} code */
  #ended(code) {
    this.#down();
    if (code === 'session_ended') this.#session.ended();
    else if (COME_BACK.has(code) && this.#session.status === 'signed-in') this.#socket.connect();
  }

  /** @param {ServerMessage} message */
  #message(message) {
    const account = this.#account;
    if (account === null) return;
    switch (message.type) {
      case 'entry':
        return void account.heard(message.room, message.entry);
      case 'read':
        return account.find(message.room)?.readUpTo(message.read_seq);
      case 'typing':
        return account.find(message.room)?.heardTyping(message.user);
      case 'presence':
        return account.find(message.room)?.heardPresence(message.users);
      case 'resync':
        return this.#resync(account);
      case 'room_changed':
        return void account.refreshRoom(message.room);
    }
  }

  /** Something was not told: what is in the rooms, and who is there. @param {Account} account */
  #resync(account) {
    void account.refreshRooms();
    if (this.#watched === null) return;
    account.find(this.#watched)?.forgetPresence();
    this.#tellWatched();
  }

  /** Says which conversation is on the screen; again later when the server had too much to do, unless it is another one by then. */
  #tellWatched(attempt = 0) {
    clearTimeout(this.#telling);
    const room = this.#watched;
    if (!this.#socket.isUp) return;
    this.#socket.request({ type: 'watch', room }).catch((error) => {
      if (room === null || room !== this.#watched || !['busy', 'timeout'].includes(error.code)) return;
      clearTimeout(this.#telling);
      this.#telling = setTimeout(() => this.#tellWatched(attempt + 1), backoffMs(OUTBOX_BACKOFF, attempt, this.#device.random()));
    });
  }

  /** @param {import('../../protocol.js').ClientMessage} message */
  #tell(message) {
    if (this.#socket.isUp) this.#socket.request(message).catch(() => {});
  }
}

/** @param {readonly number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, each) => total + each, 0);
}
