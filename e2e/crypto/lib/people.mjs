// People of a test around one room of one server.

import { Client } from './client.mjs';

export class People {
  #Desk;
  #server;
  #started = [];
  #made = 0;

  constructor(Desk, server) {
    this.#Desk = Desk;
    this.#server = server;
  }

  /** Somebody new, who has done nothing yet. */
  async stranger() {
    const client = await Client.of(this.#Desk, this.#server, `person${++this.#made}`);
    this.#started.push(client);
    return client;
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
    const back = await client.reloaded();
    this.#started.push(back);
    return back;
  }

  stop() {
    for (const client of this.#started) client.stop();
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
