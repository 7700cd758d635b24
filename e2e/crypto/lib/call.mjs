// A client's stay in a call, without media: the socket's part of it, the group of the call, and the end of the port that leads to the media
// worker, where the keys of every epoch come out.

export class Stay {
  /** Every epoch's keys, as the media worker gets them. */
  epochs = [];
  /** Whether it ended by itself. */
  ended = false;
  #participants = new Set();
  #left = new Set();

  /** Joins the call of a room, and its group. */
  static async of(client, room) {
    const stay = new Stay();
    stay.client = client;
    // From before the answer on: unlike in a browser, what is told after it may be heard before whoever waits for it goes on.
    client.socket.addEventListener('message', stay.#hear);
    stay.joined = await client.socket.request({ type: 'join', room: room.id, muted: [] });
    for (const { participant } of stay.joined.participants) stay.#change(participant, !stay.#left.has(participant));
    const account = await client.ready();
    stay.group = account.stayIn(stay.joined.call, { room: room.id, participant: stay.joined.participant }, { over: () => (stay.ended = true), epoch: () => {} });
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

/** Of a key that cannot be exported: what it makes of nothing. */
async function fingerprint(base) {
  const bits = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new Uint8Array() }, base, 64);
  return Buffer.from(bits).toString('hex');
}

