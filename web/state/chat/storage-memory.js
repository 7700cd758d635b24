/** The local copy where the browser refuses a database or a key for it (private windows, a broken disk, no secure context): the same methods, and it lasts as long as the page. */

/** @import { Room } from '../../api.js' */
/** @import { OutboxItem } from './outbox.js' */
/** @import { Range } from './ranges.js' */
/** @import { LogRecord } from './records.js' */
/** @import { Kept, SmallStore } from './storage.js' */

import { withRange, withoutBelow } from './ranges.js';
import { emptied, isOpenedMessage, remembered } from './records.js';

export class MemoryStorage {
  /** By room, then by seq. Bounded by what the sync fetches. @type {Map<string, Map<number, LogRecord>>} */
  #entries = new Map();
  /** @type {Map<string, Range[]>} */
  #ranges = new Map();
  /** @type {Set<string>} */
  #wasHeld = new Set();
  /** @type {Record<SmallStore, Map<string, any>>} */
  #small = { rooms: new Map(), members: new Map(), drafts: new Map(), reads: new Map() };
  /** @type {Map<number, OutboxItem>} */
  #outbox = new Map();
  #nextOrder = 1;
  /** Bounded by what the outbox takes. @type {Map<string, { message: string, blob: Blob }>} */
  #blobs = new Map();

  /** @returns {Promise<Kept>} */
  async load() {
    const { rooms, members, drafts, reads } = this.#small;
    const ranges = [...this.#ranges].map(([room, held]) => ({ room, ranges: held }));
    return { rooms: [...rooms.values()], members: [...members.values()], drafts: [...drafts.values()], reads: [...reads.values()], ranges };
  }

  /** @param {string} room */
  async ranges(room) {
    return this.#ranges.get(room) ?? [];
  }

  /** @param {string} room */
  async wasHeld(room) {
    return this.#wasHeld.has(room);
  }

  /** @param {string} room @param {readonly LogRecord[]} records */
  async putEntries(room, records) {
    const kept = this.#of(room);
    for (const record of records) {
      kept.set(record.seq, remembered(record, kept.get(record.seq)));
      if (record.kind === 'message') await this.unqueue(record.id);
    }
    const gone = new Set(records.filter(({ kind }) => kind === 'deletion').map(({ about }) => about));
    if (gone.size > 0) {
      for (const [seq, record] of kept) {
        if (record.kind === 'message' && (gone.has(record.id) || (record.about !== null && gone.has(record.about)))) kept.set(seq, emptied(record));
      }
    }
    const held = withRange(this.#ranges.get(room) ?? [], [records[0]?.seq ?? 1, records.at(-1)?.seq ?? 0]);
    this.#ranges.set(room, held);
    if (records.some(isOpenedMessage)) this.#wasHeld.delete(room);
    return held;
  }

  /** @param {string} room @param {number} first @param {number} last */
  async entries(room, first, last) {
    return [...this.#of(room).values()].filter(({ seq }) => first <= seq && seq <= last).sort((a, b) => a.seq - b.seq);
  }

  /** @param {string} room @param {string} id */
  async find(room, id) {
    return [...this.#of(room).values()].find((record) => record.id === id);
  }

  /** @param {string} room @param {string} id */
  async findAll(room, id) {
    return [...this.#of(room).values()].filter((record) => record.id === id);
  }

  /** @param {[string, number]} after @param {number} limit */
  async scan([room, seq], limit) {
    const all = [...this.#entries.values()].flatMap((kept) => [...kept.values()]);
    const later = all.filter((record) => record.room > room || (record.room === room && record.seq > seq));
    return later.sort((a, b) => (a.room === b.room ? a.seq - b.seq : a.room < b.room ? -1 : 1)).slice(0, limit);
  }

  /** @param {readonly [string, number][]} keys */
  async pick(keys) {
    return keys.flatMap(([room, seq]) => this.#entries.get(room)?.get(seq) ?? []);
  }

  /** @param {string} room @param {number} first */
  async dropBelow(room, first) {
    for (const seq of this.#of(room).keys()) if (seq < first) this.#of(room).delete(seq);
    const held = this.#ranges.get(room);
    const rest = withoutBelow(held ?? [], first);
    if (held) this.#ranges.set(room, rest);
    if (held && held.length > 0 && rest.length === 0) this.#wasHeld.add(room);
  }

  /** @param {string} room */
  async dropEntries(room) {
    this.#entries.delete(room);
    this.#ranges.delete(room);
    this.#wasHeld.add(room);
  }

  /** @param {string} room */
  async dropRoom(room) {
    await this.dropEntries(room);
    this.#wasHeld.delete(room);
    for (const store of Object.values(this.#small)) store.delete(room);
    for (const item of this.#outbox.values()) if (item.room === room) await this.unqueue(item.id);
  }

  /** @param {SmallStore} store @param {any} value */
  async put(store, value) {
    this.#small[store].set(store === 'rooms' ? /** @type {Room} */ (value).id : value.room, value);
  }

  /** Nothing is sealed here. */
  async ready() {}

  async outbox() {
    return [...this.#outbox.values()];
  }

  /** @param {Omit<OutboxItem, 'order'>} item @param {readonly { id: string, blob: Blob }[]} [blobs] */
  async queue(item, blobs = []) {
    const queued = { ...item, order: this.#nextOrder++ };
    this.#outbox.set(queued.order, queued);
    for (const { id, blob } of blobs) this.#blobs.set(id, { message: item.id, blob });
    return queued;
  }

  /** @param {string} id @returns {Promise<Blob | null>} */
  async blob(id) {
    return this.#blobs.get(id)?.blob ?? null;
  }

  /** @param {OutboxItem} item */
  async requeue(item) {
    if (this.#outbox.has(item.order)) this.#outbox.set(item.order, item);
  }

  /** @param {string} id */
  async unqueue(id) {
    for (const item of this.#outbox.values()) if (item.id === id) this.#outbox.delete(item.order);
    for (const [key, { message }] of this.#blobs) if (message === id) this.#blobs.delete(key);
  }

  close() {}

  /** @param {string} room */
  #of(room) {
    let kept = this.#entries.get(room);
    if (!kept) this.#entries.set(room, (kept = new Map()));
    return kept;
  }
}
