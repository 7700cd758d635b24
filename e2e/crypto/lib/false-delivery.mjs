// A delivery service that asks nothing: whatever a client calls its group is one, and every commit is taken. What a server can put in the place of the
// real group of a room for those clients to whom it shows it.

import { groupId } from '../../../web/state/keys/bytes.js';

export class FalseDelivery {
  #group;
  #info = null;
  #commits = [];

  /** @param {string} room of which a group is to be replaced */
  constructor(room) {
    this.#group = groupId({ kind: 'room', id: room });
  }

  get epoch() {
    return this.#commits.length;
  }

  /** From now on this client finds this group where the real one was. */
  show(client) {
    const whole = client.fetch;
    client.fetch = async (to, init) => (await this.#answer(to, init)) ?? whole(to, init);
  }

  async #answer({ pathname, searchParams }, { method = 'GET', body }) {
    if (method === 'POST' && pathname.endsWith('/e2ee/groups')) {
      this.#info = JSON.parse(body).group_info;
      return Response.json({ group: this.#group, epoch: 0 }, { status: 201 });
    }
    const [, what] = pathname.split(`/e2ee/groups/${this.#group}/`);
    if (what === undefined) return null;
    if (this.#info === null) return Response.json({ code: 'group_not_found' }, { status: 404 });
    if (what === 'info') return Response.json({ epoch: this.epoch, group_info: this.#info, tree: null });
    if (method === 'POST') return this.take(JSON.parse(body));
    const from = Number(searchParams.get('from'));
    return Response.json({ commits: this.#commits.map((commit, epoch) => ({ epoch, commit })).slice(from), epoch: this.epoch });
  }

  /** A commit, as clients send them. */
  take({ epoch, commit, group_info }) {
    if (epoch !== this.epoch) return Response.json({ code: 'epoch_taken', commit: this.#commits[epoch] }, { status: 409 });
    this.#commits.push(commit);
    this.#info = group_info;
    return Response.json({ epoch: this.epoch }, { status: 201 });
  }
}
