/** A server of the chat in memory, with its HTTP API, its socket and several windows, for the tests of `web/state/chat`. No test itself. */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';

import { ApiError } from '../net/api.js';
import { toBase64Url } from '../state/chat/seal.js';
import { IndexedStorage, forgetStorages } from '../state/chat/storage.js';
import { ChatStore } from '../state/chat/store.js';
import { RoomsStore } from '../state/rooms.js';

globalThis.IDBKeyRange = IDBKeyRange;

export const uuid = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
export const ME = uuid(1);
export const ANNA = uuid(2);
export const BORIS = uuid(3);
export const ROOM = uuid(100);
export const OTHER = uuid(101);
export const NAMES = { [ME]: 'me.myself', [ANNA]: 'anna', [BORIS]: 'boris' };

export const encode = (value) => toBase64Url(new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)));
export const textBody = (text, fields = {}) => ({ v: 1, type: 'text', text, ...fields });

const KEY = randomBytes(32);
/** Seals as the browser does, within the turn: what is sealed on other threads would be ready after as many turns as the machine pleases. */
const SEALED_AT_ONCE = {
  seal: async (value, place) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(Buffer.from(place));
    return Uint8Array.from(Buffer.concat([nonce, cipher.update(JSON.stringify(value)), cipher.final(), cipher.getAuthTag()]));
  },
  open: async (sealed, place) => {
    if (sealed === undefined) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', KEY, sealed.subarray(0, 12)).setAAD(Buffer.from(place)).setAuthTag(sealed.subarray(-16));
    return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString());
  },
};

/** Turns of the event loop until something holds; a bound instead of a time. */
export async function until(holds, what = 'the condition') {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`${what} never came to hold`);
}

export async function quiet(turns = 200) {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

export class FakeServer {
  rooms = new Map();
  /** By id: `{ id, received, size, bytes }`. */
  files = new Map();
  asked = [];
  /** Called before a request is answered; may throw, or wait. */
  hook = async () => {};
  online = true;
  /** The sockets of the windows. */
  sockets = new Set();
  #nextId = 1_000;

  addRoom(id = ROOM, fields = {}) {
    const room = {
      id, name: `room ${id.slice(-3)}`, encryption: 'open', role: 'owner', link_code: 'x', created_at: 1, member_count: 3, in_call: 0, kind: 'room', topic: '',
      locked: false, slow_mode_s: 0, retention_days: null, first_seq: 1, last_seq: 0, read_seq: 0, chat_muted: false, people: [], last_entry: null, ...fields,
    };
    this.rooms.set(id, { room, entries: [], pins: [] });
    return room;
  }

  /** Somebody's message, edit or reaction. */
  post(sender, body, { room = ROOM, id = uuid(this.#nextId++), quietly = false } = {}) {
    return this.append(room, { id, kind: 'message', sender, body: typeof body === 'string' ? body : encode(body), target: null }, quietly);
  }

  delete(sender, target, { room = ROOM, quietly = false } = {}) {
    const found = this.rooms.get(room).entries.find(({ id }) => id === target);
    found.body = null;
    return this.append(room, { id: uuid(this.#nextId++), kind: 'deletion', sender, body: null, target }, quietly);
  }

  append(roomId, fields, quietly = false) {
    const { room, entries } = this.rooms.get(roomId);
    room.last_seq += 1;
    const entry = { ...fields, seq: room.last_seq, sent_at: 1_000_000 + room.last_seq * 1_000 };
    entries.push(entry);
    room.last_entry = { ...entry };
    if (!quietly) this.tell({ type: 'entry', room: roomId, entry: { ...entry } });
    return entry;
  }

  tell(message) {
    for (const socket of this.sockets) if (socket.isUp) socket.dispatchEvent(new CustomEvent('message', { detail: message }));
  }

  async call(method, path, body) {
    if (!this.online) throw new ApiError('network', 0);
    this.asked.push(`${method} ${path}`);
    await this.hook(method, path, body);
    const answer = this.#answer(method, path, body);
    // What was done before the network went is done, and nobody hears of it.
    if (!this.online) throw new ApiError('network', 0);
    return structuredClone(answer);
  }

  /** A piece of a file. `online` may go while it is on its way: then nothing of it arrives. */
  async patchBytes(path, bytes) {
    if (!this.online) throw new ApiError('network', 0);
    const [, id, offset] = /^files\/([^?]+)\?offset=(\d+)$/.exec(path);
    this.asked.push(`PATCH ${path}`);
    await this.hook('PATCH', path);
    if (!this.online) throw new ApiError('network', 0);
    const file = this.files.get(id);
    if (!file) throw new ApiError('file_not_found', 404);
    if (Number(offset) !== file.received) throw new ApiError('wrong_offset', 409);
    file.bytes = Buffer.concat([file.bytes, Buffer.from(await new Response(bytes).arrayBuffer())]);
    file.received = file.bytes.length;
    return { id, received: file.received, size: file.size };
  }

  #file(method, id) {
    const file = this.files.get(id);
    if (!file) throw new ApiError('file_not_found', 404);
    if (method === 'DELETE') this.files.delete(id);
    return { id, received: file.received, size: file.size };
  }

  #announce({ size }) {
    const id = uuid(this.#nextId++);
    this.files.set(id, { id, received: 0, size, bytes: Buffer.alloc(0) });
    return { id, received: 0, size };
  }

  #answer(method, path, body) {
    const [route, query] = path.split('?');
    const [first, id, what, which] = route.split('/');
    if (first === 'files') return this.#file(method, id);
    if (method === 'GET' && route === 'rooms') return { rooms: [...this.rooms.values()].map(({ room }) => room) };
    const kept = this.rooms.get(id);
    if (!kept) throw new ApiError('room_not_found', 404);
    if (method === 'GET' && !what) return { ...kept.room, members: Object.entries(NAMES).map(([user, username]) => ({ user, username, role: 'member', joined_at: 1 })) };
    if (method === 'GET' && what === 'pins') return { pins: kept.pins };
    if (method === 'GET') return this.#page(kept, new URLSearchParams(query));
    if (method === 'POST' && what === 'files') return this.#announce(body);
    if (method === 'POST') {
      for (const file of body.files ?? []) if (this.files.get(file)?.received !== this.files.get(file)?.size || !this.files.has(file)) throw new ApiError('file_not_found', 404);
      const there = kept.entries.find((entry) => entry.id === body.id);
      if (there && there.sender !== ME) throw new ApiError('message_id_taken', 409);
      return there ?? this.append(id, { id: body.id, kind: 'message', sender: ME, body: body.body, target: null });
    }
    if (method === 'DELETE' && what === 'messages') return this.delete(ME, which, { room: id });
    return this.append(id, { id: uuid(this.#nextId++), kind: method === 'PUT' ? 'pin' : 'unpin', sender: ME, body: null, target: which });
  }

  #page({ room, entries }, query) {
    const limit = Number(query.get('limit') ?? 50);
    const before = Number(query.get('before') ?? Infinity);
    const held = entries.filter(({ seq }) => seq >= room.first_seq);
    const chosen = query.has('after') ? held.filter(({ seq }) => seq > Number(query.get('after'))).slice(0, limit) : held.filter(({ seq }) => seq < before).slice(-limit);
    return { entries: chosen, first_seq: room.first_seq, last_seq: room.last_seq };
  }
}

class FakeSocket extends EventTarget {
  isUp = false;
  asked = [];
  connects = 0;
  connect() {
    this.connects += 1;
  }
  close() {
    this.isUp = false;
    this.closed = true;
  }
  async request(message) {
    this.asked.push(message);
    return { type: 'ok' };
  }
  up(resumed = false) {
    this.isUp = true;
    this.dispatchEvent(new CustomEvent('up', { detail: { resumed, iceServers: [] } }));
  }
  down() {
    this.isUp = false;
    this.dispatchEvent(new Event('down'));
  }
}

/** Where no room is encrypted. */
class NoKeys extends EventTarget {
  status = 'off';
  account = null;
}

/** One browser: a database, and locks and channels between its windows. */
export class FakeBrowser {
  factory = new IDBFactory();
  #locks = new Map();
  #channels = new Set();

  device() {
    const channels = this.#channels;
    return {
      open: (user) => IndexedStorage.open(user, this.factory, async () => SEALED_AT_ONCE),
      forgetAllBut: (user) => forgetStorages(user, this.factory),
      channel: () => {
        const channel = { onmessage: null, postMessage: (data) => [...channels].filter((each) => each !== channel).forEach((each) => setImmediate(() => each.onmessage?.({ data: structuredClone(data) }))), close: () => channels.delete(channel) };
        channels.add(channel);
        return channel;
      },
      exclusively: (name, act) => {
        const turn = (this.#locks.get(name) ?? Promise.resolve()).catch(() => {}).then(act);
        this.#locks.set(name, turn);
        return turn;
      },
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      now: () => 5_000_000,
      random: () => 0,
      tellsRead: () => true,
    };
  }

  /** A window of it with somebody signed in. */
  async open(server, { user = ME, connect = true, device = {}, keys = new NoKeys() } = {}) {
    const session = Object.assign(new EventTarget(), { status: 'unknown', user: null, signedInSince: null, ended() {} });
    const socket = new FakeSocket();
    server.sockets.add(socket);
    const api = { user: { id: user }, call: (...request) => server.call(...request), patchBytes: (...request) => server.patchBytes(...request) };
    const rooms = new RoomsStore(api);
    const parts = { ...this.device(), ...device };
    const chat = new ChatStore(api, socket, session, rooms, parts, keys);
    const signOut = () => {
      server.sockets.delete(socket);
      session.status = 'signed-out';
      session.dispatchEvent(new Event('change'));
    };
    // As a reload does it: nothing runs any more, and the database stays.
    const close = () => {
      parts.forgetAllBut = async () => {};
      api.call = api.patchBytes = async () => {
        throw new ApiError('network', 0);
      };
      signOut();
    };
    const opened = { chat, socket, session, rooms, api, signOut, close };
    let ready = false;
    chat.addEventListener('status', () => (ready = true));
    session.status = 'signed-in';
    session.user = { id: user };
    session.dispatchEvent(new Event('change'));
    ready = false;
    await until(() => ready, 'the opening of the chat');
    if (connect) {
      socket.up();
      await until(() => chat.conversations !== null && chat.status === 'online', 'being in step');
    }
    return opened;
  }
}

/** A window on two rooms; it closes when the test ends. */
export async function opened(context, { browser = new FakeBrowser(), server = new FakeServer(), ...options } = {}) {
  if (server.rooms.size === 0) {
    server.addRoom();
    server.addRoom(OTHER);
    server.post(ANNA, textBody('hello'), { quietly: true });
  }
  const window = await browser.open(server, options);
  context.after(() => window.close());
  return { ...window, browser, server, room: window.chat.conversation(ROOM), other: window.chat.conversation(OTHER) };
}

export function offline({ server, socket }) {
  server.online = false;
  socket.down();
}

export function online({ server, socket }) {
  server.online = true;
  socket.up();
}
