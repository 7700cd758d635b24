// People of a test around rooms of one server, which a spec has from its beginning to its end.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { startServer } from '../../browser/lib/server.mjs';
import { builtDesk } from './built.mjs';
import { Client } from './client.mjs';

/**
 * For the whole of a spec: a server, and the people on it, once the first test begins. At the end nobody is left, and the server has nothing to
 * complain of. `Kind`: of clients; `options`: of the server; `watch`: puts something around the class of their desks.
 */
export function stage(Kind = Client, { watch = (Desk) => Desk, ...options } = {}) {
  const all = { server: null, people: null };
  before(async () => {
    const Desk = watch(await builtDesk());
    all.server = await startServer(options);
    all.people = new People(Desk, all.server, Kind);
  });
  after(async () => {
    all.people?.stop();
    assert.deepEqual((await all.server?.close()) ?? [], [], 'the server has nothing to complain of');
  });
  return all;
}

class People {
  #Desk;
  #server;
  #Kind;
  #started = [];
  #made = 0;

  constructor(Desk, server, Kind) {
    this.#Desk = Desk;
    this.#server = server;
    this.#Kind = Kind;
  }

  /** Somebody new, who has done nothing yet. */
  async stranger() {
    return this.kept(await this.#Kind.of(this.#Desk, this.#server, `person${++this.#made}`));
  }

  /** So many new people in a new room; the first owns it. Nobody has looked at its group yet. */
  async inRoom(count, encryption = 'mls') {
    const clients = await Promise.all(Array.from({ length: count }, () => this.stranger()));
    const [owner, ...others] = clients;
    await owner.start();
    const room = await owner.api.call('POST', 'rooms', { name: 'Stammtisch', encryption });
    await owner.rooms.load();
    for (const other of others) {
      await other.start();
      await other.rooms.join(room.link_code);
    }
    return { clients, room };
  }

  /** The same browser after a reload. */
  async reloaded(client) {
    return this.kept(await client.reloaded());
  }

  /** Whoever was made otherwise is stopped with the others, too. */
  kept(client) {
    this.#started.push(client);
    return client;
  }

  stop() {
    for (const client of this.#started) client.stop();
  }
}

/** Each says that they know who is in the room: in a strict one they write nothing before. */
export async function greetAll(clients, room) {
  for (const { keys: { account } } of clients) {
    const users = await account.people.newcomersIn(room.id);
    if (users.length > 0) await account.people.greeted(room.id, users);
  }
}

/** All of them open the room; waits until they are in the same epoch of its group, with exactly these people in it. */
export async function agree(clients, room, inside = clients) {
  const users = inside.map(({ user }) => user).sort();
  await Promise.all(clients.map(async (client) => (await client.ready()).sync(room.id)));
  return clients[0].until(`all to agree on ${users.length} people`, () => {
    const looks = clients.map((client) => client.keys.account?.lookOf(room.id) ?? null);
    if (looks.includes(null) || new Set(looks.map(({ authenticator }) => authenticator)).size > 1) return null;
    const present = [...new Set(looks[0].members.map(({ user }) => user))].sort();
    return JSON.stringify(present) === JSON.stringify(users) ? looks[0] : null;
  });
}
