// A member of a room who means ill: a device on ts-mls (`theirs.mjs`) that the others' clients brought in as any other, and that makes commits
// which the server takes, because it has no secret to check them by, and which nobody can follow.

import { randomBytes } from 'node:crypto';

import WebSocket from 'ws';

import { Api } from '../../../web/net/api.js';
import { SignalSocket } from '../../../web/net/socket.js';
import { Delivery } from '../../../web/state/keys/delivery.js';
import { SessionStore } from '../../../web/state/session.js';
import { base64, fromBase64, join, number } from './bytes.mjs';
import { Published } from './certificates.mjs';
import { TheirDevice } from './theirs.mjs';

const PASSWORD = 'correct horse battery staple';
const BOUND_MS = 30_000;
/** Fewer questions than the server answers of one user. */
const PAUSE_MS = 100;
const PATH_SECRET = Buffer.from('MLS 1.0 UpdatePathNode');
/** Version of the session in a leaf, and bytes of its nonce (`trust/src/mls/session.rs`). */
const [SESSION_VERSION, NONCE_BYTES] = [1, 16];

/**
 * What is wrong with a commit whose signature, tree and everything else that a server can look at is right. `seal`: does what HPKE does for a
 * secret of the path; `commit`: changes the bytes that are sent; `wayIn`: an external key in the description of the group.
 */
export const HARMS = {
  'secrets that open for nobody': {
    seal: async (seal, [key, secret, ...more]) => {
      const sealed = await seal(key, secret, ...more);
      return { ...sealed, ct: sealed.ct.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) };
    },
  },
  'secrets of other keys than those beside them': { seal: (seal, [key, secret, ...more]) => seal(key, new Uint8Array(randomBytes(secret.length)), ...more) },
  'a tag that only members can check': { commit: (bytes) => bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)) },
  'secrets that open for nobody, and a way back that leads nowhere': {
    seal: (seal, [key, secret, ...more]) => seal(key, new Uint8Array(randomBytes(secret.length)), ...more),
    wayIn: () => new Uint8Array(randomBytes(32)),
  },
};

/** The control. */
export const NO_HARM = {};

export class Culprit {
  #device;
  #delivery;
  #published = new Published();
  #seal = null;

  /** Somebody new on this server, with a device that counts. */
  static async of(server, username) {
    const culprit = new Culprit();
    culprit.user = (await server.register(username, PASSWORD)).user.id;
    culprit.api = new Api({ fetch: (path, init) => fetch(new URL(path, server.url), init), now: () => Date.now(), exclusively: (_, act) => act() });
    culprit.socket = new SignalSocket({
      ticket: async () => (await culprit.api.call('POST', 'ws-ticket')).ticket,
      open: (protocols) => new WebSocket(`${server.url.replace(/^http/, 'ws')}/api/v1/ws`, protocols, { origin: server.url }).on('error', () => {}),
      random: Math.random,
    });
    await new SessionStore(culprit.api, null).login(username, PASSWORD);
    culprit.socket.connect();
    culprit.#delivery = new Delivery(culprit.api);
    culprit.#device = await TheirDevice.of(culprit.user, culprit.#published, (suite) => culprit.#harming(suite));
    for (const record of culprit.#device.records) await culprit.#delivery.publish(base64(record));
    await culprit.#leavesPackage();
    return culprit;
  }

  /** The suite, with what is wrong with the secrets of a path while something is to be. */
  #harming(suite) {
    const honest = suite.hpke.seal.bind(suite.hpke);
    const seal = (key, secret, info, ...more) => {
      const isOfPath = this.#seal !== null && Buffer.from(info).includes(PATH_SECRET);
      return isOfPath ? this.#seal(honest, [key, secret, info, ...more]) : honest(key, secret, info, ...more);
    };
    return { ...suite, hpke: { ...suite.hpke, seal } };
  }

  async #leavesPackage() {
    await this.#delivery.leave(base64(this.#device.id), { packages: [base64(await this.#device.keyPackage())], last_resort: null });
  }

  /** Comes into a room by its link, and into its group once somebody there has brought it in. */
  async joins(room) {
    this.room = room;
    await this.api.call('POST', 'rooms/join', { code: room.link_code });
    const welcomed = await this.#until('a welcome', async () => (await this.#delivery.inbox(base64(this.#device.id))).items.find(({ group, welcome }) => group?.id === room.id && welcome !== null));
    await this.#learns();
    await this.#device.joins(fromBase64(welcomed.welcome));
    await this.#delivery.taken(welcomed.id);
  }

  async #learns() {
    const { members } = await this.api.call('GET', `rooms/${this.room.id}`);
    for (const { user } of members) this.#published.add(user, (await this.#delivery.chain(user)).map(fromBase64));
  }

  /** Comes into the call of its room, and by itself into the call's group, which it gives. */
  async enters() {
    await this.#until('the socket', async () => this.socket.isUp);
    const joined = await this.socket.request({ type: 'join', room: this.room.id, muted: [] });
    const group = { kind: 'call', id: joined.call };
    this.participant = joined.participant;
    const session = join(number(SESSION_VERSION, 1), Buffer.from(joined.participant, 'hex'), randomBytes(NONCE_BYTES));
    await this.#learns();
    await this.#until('to be in the group of the call', async () => {
      await this.#device.keyPackage(session);
      const { epoch, groupInfo, tree } = await this.#delivery.info(group);
      const commit = await this.#device.enters(fromBase64(groupInfo), tree === null ? null : fromBase64(tree));
      return this.#send(group, epoch, commit);
    });
    return group;
  }

  /** Follows what others did. */
  async follows(group) {
    await this.#learns();
    for (;;) {
      const { epoch: own } = this.#device.at(group);
      const { commits, epoch } = await this.#delivery.commits(group, own);
      for (const { commit } of commits) await this.#device.process(group, fromBase64(commit));
      if (this.#device.at(group).epoch >= epoch) return;
    }
  }

  /** In which epoch it is, by its own view. */
  at(group) {
    return this.#device.at(group);
  }

  /** A new path for its own leaf, with this harm in it; done when the server took it. Gives the epoch before it. */
  commits(group, harm) {
    return this.#until('its commit to be taken', async () => {
      await this.follows(group);
      return this.tries(group, harm);
    });
  }

  /** The same, in the epoch in which it is; null: another was faster. */
  async tries(group, harm) {
    const { epoch } = this.at(group);
    this.#seal = harm.seal ?? null;
    const { commit } = await this.#device.proposes(group).finally(() => (this.#seal = null));
    const sent = harm.commit?.(commit) ?? commit;
    return (await this.#send(group, epoch, sent, harm.wayIn?.())) ? { epoch } : null;
  }

  async #send(group, epoch, commit, wayIn) {
    const groupInfo = base64(await this.#device.groupInfo(wayIn));
    const isTaken = await this.#delivery.commit(group, { epoch, commit: base64(commit), welcome: null, group_info: groupInfo });
    if (isTaken) this.#device.accepted(group);
    return isTaken;
  }

  stop() {
    this.socket.close();
  }

  async #until(what, holds) {
    const end_ms = Date.now() + BOUND_MS;
    for (;;) {
      const value = await holds();
      if (value) return value;
      if (Date.now() > end_ms) throw new Error(`the culprit waited ${BOUND_MS} ms for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}
