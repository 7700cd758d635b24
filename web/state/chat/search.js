/**
 * Search over the local copy: reads it once, when somebody first searches, and follows it from then on.
 *
 * The index is in memory and nowhere else. It finds beginnings of words, so one that is kept would have to hold a keyed hash of each beginning of
 * each word: larger than the messages, written anew with each of them, and it would still tell how often each word occurs. What is kept are the
 * messages, sealed (`at-rest.js`); opening 100,000 takes seconds, once a page, in pieces (`web/test/search-figures.mjs`).
 *
 * Takes records in any order, as the timeline does: the newest edit by the sender is the text of a message, a deleted one has none.
 */

/** @import { LogRecord } from './records.js' */
/** @import { ChatStorage } from './storage.js' */

import { parseBody } from './body.js';
import { SearchIndex } from './search-index.js';

/** Read at once: some milliseconds of work, after which the page may draw. */
const CHUNK = 1_000;

/**
 * @typedef {{ record: LogRecord | null, edits: Map<string, { seq: number, sender: string, text: string }>, deleted: boolean, text: string | null, place: number | null }} Subject
 * one message: `text` and `place` are what the index has of it
 */

export class Search {
  #storage;
  #index = new SearchIndex();
  /** By room and id. @type {Map<string, Subject>} */
  #subjects = new Map();
  /** By room and number, for results. @type {Map<string, Subject>} */
  #shown = new Map();
  /** @type {Promise<void> | null} */
  #reading = null;

  /** @param {ChatStorage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /**
   * @param {string} query
   * @param {string | null} room
   * @returns {Promise<{ results: { record: LogRecord, text: string }[], total: number }>}
   */
  async find(query, room) {
    await this.#read();
    const { found, total } = this.#index.find(query, room);
    const results = found.flatMap((place) => {
      const subject = this.#shown.get(`${place.room} ${place.seq}`);
      return subject?.record ? [{ record: subject.record, text: subject.text ?? '' }] : [];
    });
    return { results, total };
  }

  /** The local copy grew. Before the first search this is nothing: it will be read from there. @param {readonly LogRecord[]} records */
  follow(records) {
    if (this.#reading !== null) this.#learn(records);
  }

  /** Another window stored these. @param {string} room @param {number} first @param {number} last */
  async followStored(room, first, last) {
    if (this.#reading !== null) this.#learn(await this.#storage.entries(room, first, last));
  }

  /** What is no longer held is no longer found. @param {string} room @param {number} below */
  drop(room, below) {
    for (const [key, subject] of this.#subjects) {
      const { record } = subject;
      if (record?.room !== room || record.seq >= below) continue;
      if (subject.place !== null) this.#index.remove(subject.place);
      this.#subjects.delete(key);
      this.#shown.delete(`${room} ${record.seq}`);
    }
  }

  /** @returns {Promise<void>} */
  #read() {
    this.#reading ??= this.#readAll();
    return this.#reading;
  }

  async #readAll() {
    /** @type {[string, number]} */
    let after = ['', 0];
    for (;;) {
      const records = await this.#storage.scan(after, CHUNK);
      this.#learn(records);
      const last = records.at(-1);
      if (!last || records.length < CHUNK) return;
      after = [last.room, last.seq];
    }
  }

  /** @param {readonly LogRecord[]} records */
  #learn(records) {
    /** @type {Set<Subject>} */
    const changed = new Set();
    for (const record of records) {
      const subject = this.#take(record);
      if (subject) changed.add(subject);
    }
    for (const subject of changed) this.#renew(subject);
  }

  /** @param {LogRecord} record @returns {Subject | null} the message whose text may be another now */
  #take(record) {
    const { room, id, kind, sender, seq, content, about } = record;
    if (kind === 'deletion') {
      const subject = this.#subjectOf(room, about ?? '');
      subject.deleted = true;
      return subject;
    }
    if (kind !== 'message') return null;
    if (about !== null) {
      const body = content === null ? null : parseBody(content);
      if (body?.type === 'reaction' || body?.type === 'read') return null;
      const subject = this.#subjectOf(room, about);
      if (body?.type === 'edit') subject.edits.set(id, { seq, sender, text: body.text });
      else subject.edits.delete(id);
      return subject;
    }
    const subject = this.#subjectOf(room, id);
    subject.deleted ||= content === null;
    // The text is kept once, folded into `text`; what is needed of the record is small.
    subject.record ??= record;
    return subject;
  }

  /** @param {Subject} subject */
  #renew(subject) {
    const text = textOf(subject);
    if (text === subject.text) return;
    if (subject.place !== null) this.#index.remove(subject.place);
    subject.text = text;
    subject.place = null;
    const { record } = subject;
    if (text === null || record === null) return;
    subject.place = this.#index.add(text, { room: record.room, seq: record.seq, at: record.at });
    this.#shown.set(`${record.room} ${record.seq}`, subject);
  }

  /** @param {string} room @param {string} id */
  #subjectOf(room, id) {
    const key = `${room} ${id}`;
    let subject = this.#subjects.get(key);
    if (!subject) {
      subject = { record: null, edits: new Map(), deleted: false, text: null, place: null };
      this.#subjects.set(key, subject);
    }
    return subject;
  }
}

/** @param {Subject} subject */
function textOf({ record, edits, deleted }) {
  if (deleted || record === null || record.content === null) return null;
  const body = parseBody(record.content);
  if (body.type !== 'text') return null;
  const own = [...edits.values()].filter(({ sender }) => sender === record.sender).sort((a, b) => b.seq - a.seq);
  const names = body.files.map(({ name }) => ` ${name}`).join('');
  return (own[0]?.text ?? body.text) + names;
}
