// A client's stay in a call, without media: the socket's part of it, the group of the call, and the end of the port that leads to the media
// worker, where the keys of every epoch come out.

export class Stay {
  /** Every epoch's keys, as the media worker gets them. */
  epochs = [];
  /** Whether it ended by itself. */
  ended = false;
  #participants = new Set();
  #left = new Set();

  /** Joins the call of a room, and its group. `over`: it ended by itself, once. */
  static async of(client, room, over = () => {}) {
    const stay = new Stay();
    stay.client = client;
    // From before the answer on: unlike in a browser, what is told after it may be heard before whoever waits for it goes on.
    client.socket.addEventListener('message', stay.#hear);
    stay.joined = await client.socket.request({ type: 'join', room: room.id, muted: [] });
    for (const { participant } of stay.joined.participants) stay.#change(participant, !stay.#left.has(participant));
    const account = await client.ready();
    const told = { over: () => stay.#end(over), epoch: () => {} };
    stay.group = account.stayIn(stay.joined.call, { room: room.id, participant: stay.joined.participant }, told);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => stay.epochs.push(data);
    // A stay that nobody leaves must not keep the test from ending.
    port1.unref();
    stay.port = port1;
    stay.group.connect(port2);
    await stay.group.enter(stay.joined.group);
    stay.group.present(new Set(stay.#participants));
    return stay;
  }

  #hear = ({ detail }) => {
    if (detail.type === 'participant_joined') this.#change(detail.participant.participant, true);
    if (detail.type === 'participant_left') this.#change(detail.participant, false);
  };

  #change(participant, isHere) {
    if (isHere) this.#participants.add(participant);
    else this.#left.add(participant) && this.#participants.delete(participant);
    this.group?.present(new Set(this.#participants));
  }

  #end(over) {
    if (this.ended) return;
    this.ended = true;
    over();
  }

  async leave() {
    this.client.socket.removeEventListener('message', this.#hear);
    await this.client.socket.request({ type: 'leave' });
    await this.client.keys.account.leave(this.joined.call, this.group);
    this.port.close();
  }

  /** Whom the newest keys are of, oneself included, each with what is derived of the key; null before the first. */
  async keys() {
    const epoch = this.epochs.at(-1);
    if (!epoch) return null;
    const all = [{ ...epoch.own, owner: this.joined.participant }, ...epoch.members];
    const derived = await Promise.all(all.map(async ({ owner, base }) => [owner, await fingerprint(base)]));
    return { epoch: epoch.epoch, of: Object.fromEntries(derived.sort(([a], [b]) => (a < b ? -1 : 1))) };
  }
}

/**
 * Waits until all of them have the same keys, of exactly these stays.
 * @param {string[]} more participants who are in the group beside them
 * @param {number} least the epoch in which they are to be, or a later one
 */
export function share(stays, more = [], least = 0) {
  return stays[0].client.until(`${stays.length} to share keys`, async () => {
    const owners = [...stays.map(({ joined }) => joined.participant), ...more].sort();
    const all = await Promise.all(stays.map((stay) => stay.keys()));
    if (all.includes(null) || all[0].epoch < least || new Set(all.map((keys) => JSON.stringify(keys))).size > 1) return null;
    return JSON.stringify(Object.keys(all[0].of)) === JSON.stringify(owners) ? all[0] : null;
  });
}

/** Of a key that cannot be exported: what it makes of nothing. */
export async function fingerprint(base) {
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new Uint8Array() }, base, 64);
  return Buffer.from(bits).toString('hex');
}
