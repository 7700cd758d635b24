// All that a server is ever given of the keys and messages of a room, kept from before it gets it: whatever it keeps is part of that, and welcomes
// that it forgets once they are fetched are, too. And a member's browser, copied as it is at a moment and cut off from the server, to which all of
// it is given.

import { Keys } from '../../../web/e2ee/keys/page.js';
import { fromServer, groupId } from '../../../web/state/keys/bytes.js';
import { infoOf } from '../../../web/state/keys/delivery.js';
import { KeysWorker } from './worker.mjs';

export class Dump {
  /** Each in the order in which they were sent, in base64. */
  envelopes = [];
  commits = [];
  welcomes = [];
  /** By the user whose they are, too: `{ user, slot, blob }`. */
  backups = [];
  /** What coming in by oneself needs, of every epoch in which it was asked for. */
  infos = [];
  #room;

  constructor(room) {
    this.#room = room;
  }

  /** Keeps what this client sends from now on. */
  of(client) {
    const whole = client.fetch;
    client.fetch = async (url, init) => {
      const response = await whole(url, init);
      if (response.ok && typeof init.body === 'string') this.#keep(client, init.method, url.pathname, JSON.parse(init.body));
      return response;
    };
    return client;
  }

  #keep({ user }, method, path, body) {
    const [, slot] = /\/e2ee\/backups\/([\w.-]+)$/.exec(path) ?? [];
    if (method === 'PUT' && slot !== undefined) this.backups.push({ user, slot, blob: fromServer(body.body) });
    if (method !== 'POST') return;
    if (path.endsWith(`/rooms/${this.#room.id}/messages`)) this.envelopes.push(fromServer(body.body));
    if (!path.endsWith(`/e2ee/groups/${groupId(this.#group)}/commits`)) return;
    this.commits.push(fromServer(body.commit));
    if (body.welcome !== undefined) this.welcomes.push(fromServer(body.welcome));
  }

  get #group() {
    return { kind: 'room', id: this.#room.id };
  }

  /** What the server tells of the group as it is now. */
  async keepInfo(client) {
    this.infos.push(infoOf(await client.api.call('GET', `e2ee/groups/${groupId(this.#group)}/info`)));
  }

  /**
   * All ways in which a client takes in what a server has: what its keys' worker is asked for each. `secret`: of the person whose browser it is.
   */
  ways(secret) {
    const [group, of] = [this.#group, { room: this.#room.id, block: 0 }];
    const forget = { op: 'forget', group };
    const commits = this.commits.map((commit) => ({ op: 'process', group, commit, log_epoch: this.commits.length }));
    const welcomes = this.welcomes.map((welcome) => ({ op: 'join', welcome }));
    const backups = this.backups.flatMap(({ slot, blob }) => (slot === 'unlockers' ? [{ op: 'unlock', blob, secret }, { op: 'take_unlockers', blob }] : [{ op: 'take_segment', of, sealed: blob }]));
    const ways = { nothing: [], commits, welcomes: [...welcomes, ...commits], 'welcomes, where the group is forgotten': [forget, ...welcomes, ...commits], backups };
    for (const { epoch, groupInfo, tree } of this.infos) {
      const enter = { op: 'join_external', group, group_info: groupInfo, tree, stay: null, at_least_epoch: 0 };
      ways[`the tree of epoch ${epoch}`] = [forget, enter, { op: 'accepted', group }, ...commits];
    }
    return ways;
  }
}

/** Of a browser's states, with which it may do what it likes: the real one goes on. */
export class CutOff {
  #keys;

  static async of(Desk, states, user) {
    const browser = new CutOff();
    browser.#keys = new Keys(() => new KeysWorker(Desk, states));
    if ((await browser.#keys.begin(user)) === null) throw new Error('a browser without a device');
    return browser;
  }

  /** @returns how often each of these requests was taken, or refused with which code */
  async take(requests) {
    const counts = {};
    for (const request of requests) {
      const became = await this.#keys.ask(request, 'any').then(() => 'taken', ({ code }) => (code === 'unexpected' ? 'taken' : code));
      counts[became] = (counts[became] ?? 0) + 1;
    }
    return counts;
  }

  /** The texts of all envelopes that it opens in any way. */
  async reads(room, envelopes) {
    const texts = new Set();
    for (const op of ['read_message', 'open_message']) {
      for (const envelope of envelopes) {
        const opened = await this.#keys.ask({ op, room: room.id, envelope }, 'opened').catch(() => null);
        if (opened?.content) texts.add(JSON.parse(Buffer.from(opened.content, 'base64').toString()).text);
      }
    }
    return [...texts];
  }
}
