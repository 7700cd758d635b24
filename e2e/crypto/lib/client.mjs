// A person's client without pages: the page's own modules for the server's API, its socket, rooms and keys, against a real server.

import WebSocket from 'ws';

import { Keys } from '../../../web/e2ee/keys/page.js';
import { Api } from '../../../web/net/api.js';
import { SignalSocket } from '../../../web/net/socket.js';
import { KeysAccount } from '../../../web/state/keys/account.js';
import { Delivery } from '../../../web/state/keys/delivery.js';
import { partsOf } from '../../../web/state/keys/open.js';
import { KeyLog } from '../../../web/state/keys/log.js';
import { PUBLISHING } from '../../../web/state/keys/parts.js';
import { People } from '../../../web/state/keys/people.js';
import { KeysStore } from '../../../web/state/keys/store.js';
import { RoomsStore, promiseOf, secretIn } from '../../../web/state/rooms.js';
import { SessionStore } from '../../../web/state/session.js';
import { NO_PASSKEYS } from './authenticator.mjs';
import { KeptStates, KeysWorker } from './worker.mjs';

/** Everybody's. */
export const PASSWORD = 'correct horse battery staple';
const BOUND_MS = 30_000;

export class Client {
  /** @type {KeysAccount | null} */
  #account = null;
  /** Registers somebody new. */
  static async of(Desk, server, username) {
    return new this(Desk, server, await server.register(username, PASSWORD), username);
  }

  /** `states`: of the browser; another one for another device. */
  constructor(Desk, server, grant, username, states = new KeptStates()) {
    this.username = username;
    this.user = grant.user.id;
    this.states = states;
    this.#grant = grant;
    this.#with = { Desk, server };
    this.api = new Api({ fetch: (path, init) => this.fetch(new URL(path, server.url), init), now: () => Date.now(), exclusively: (_, act) => act() });
    this.session = new SessionStore(this.api, null);
    this.rooms = new RoomsStore(this.api);
    this.socket = new SignalSocket({
      ticket: async () => (await this.api.call('POST', 'ws-ticket')).ticket,
      open: (protocols) => new WebSocket(`${server.url.replace(/^http/, 'ws')}/api/v1/ws`, protocols, { origin: server.url }).on('error', () => {}),
      random: Math.random,
    });
    this.keys = new KeysStore(this.socket, this.session, this.rooms, (user, told) => {
      const [keys, delivery] = [new Keys(() => new KeysWorker(Desk, states)), new Delivery(this.api)];
      this.worker = keys;
      const ownRooms = async () => (await this.api.call('GET', 'rooms')).rooms.map(({ id }) => id);
      const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const [exclusively, now] = [(name, act) => this.#alone(name, act), () => Date.now() + this.ahead_ms];
      const log = new KeyLog({ keys, delivery, exclusively, now });
      // By chance nobody waits: what is archived is archived as soon as may be.
      const parts = { keys, delivery, log, people: new People(keys, log), passkeys: this.passkeys, ...partsOf(this.rooms), ownRooms, pause, exclusively, now, random: () => 0 };
      // Kept here, too: the page knows no account of a device that does not count.
      this.#account = new KeysAccount(user, parts, told);
      return this.#account;
    });
    this.keys.addEventListener('door', ({ detail }) => this.#open(detail.room));
    this.socket.addEventListener('message', ({ detail }) => detail.type === 'room_changed' && void this.rooms.refresh(detail.room).catch(() => {}));
  }

  /** Whoever comes to the door of a room is expected here, if it is not strict. @param {string} room */
  #open(room) {
    const waiting = this.keys.account?.atTheDoorOf(room) ?? [];
    if (this.letsIn && waiting.length > 0 && !this.rooms.isStrict(room)) this.keys.account.letIn(room, waiting);
  }

  /** There is one window: what only windows among each other would do at once needs no turns. */
  async #alone(name, act) {
    if (name.startsWith('webcall-group-')) await this.otherWindow;
    if (name !== PUBLISHING) return act();
    const turn = this.#publishing.then(act);
    this.#publishing = turn.catch(() => {});
    return turn;
  }

  /** The same, also of a device that does not count. */
  get anyAccount() {
    return this.#account;
  }

  #grant;
  #with;
  /** Done when what the device publishes is: what it made is taken for overtaken otherwise, as it would be by another window. */
  #publishing = Promise.resolve();
  /** The page's end of the worker of its keys, once it is started. */
  worker = null;
  /** Done when another window of the browser lets this one at its groups. */
  otherWindow = Promise.resolve();
  /** Whether the person lets in whoever waits at the door of a room that is not strict, at once. */
  letsIn = true;
  /** How far its clock is ahead. */
  ahead_ms = 0;
  /** Every request goes through here; a test may stand in between. */
  fetch = (url, init) => fetch(url, init);

  /** Those at hand where this browser is, before it is started. */
  passkeys = NO_PASSKEYS;

  /** Signs in and connects; done when the keys are there, if there is a room for them. */
  async start() {
    await this.session.login(this.username, PASSWORD);
    await this.rooms.load();
    this.socket.connect();
    return this;
  }

  /** Comes to a room by the link of somebody inside, as the page reads it; without showing it at once where the keys are not there yet. */
  async comesBy(host, room) {
    return this.comesWith(promiseOf(room, await (await host.ready()).linkTo(room.id, room.link_code)), room);
  }

  /** The same, with what stands in the link behind its code. */
  async comesWith(hash, room) {
    const secret = secretIn(hash);
    const invitation = secret === null ? null : await (this.keys.account?.invitationBy(secret) ?? null);
    return this.rooms.join(room.link_code, { secret, invitation });
  }

  /** The keys' account, once this device counts. */
  async ready() {
    return this.until('its keys to be ready', () => this.keys.account);
  }

  /** The same browser after a reload: what was in memory is gone. */
  async reloaded() {
    this.stop();
    return this.anew().start();
  }

  /** The same browser, which has not done anything yet. */
  anew() {
    return this.#beside(this.states);
  }

  /** Another browser of the same person. */
  async elsewhere() {
    return this.other().start();
  }

  /** The same, before it has done anything. The person has the same phone with them. */
  other() {
    return this.#beside();
  }

  #beside(states) {
    const other = new this.constructor(this.#with.Desk, this.#with.server, this.#grant, this.username, states);
    other.passkeys = this.passkeys;
    return other;
  }

  stop() {
    this.socket.close();
    this.#account?.close();
  }

  /** Waits for what holds. */
  async until(what, holds) {
    const end_ms = Date.now() + BOUND_MS;
    for (;;) {
      const value = await holds();
      if (value) return value;
      if (Date.now() > end_ms) throw new Error(`${this.username}: waited ${BOUND_MS} ms for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
