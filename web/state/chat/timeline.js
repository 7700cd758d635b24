/**
 * Folds a log into the messages that a person sees: edits, reactions, receipts, deletions and pins become part of the message that they are about.
 *
 * The outcome depends on the set of records alone, never on their order: what is about a message may come before it. An edit counts only by
 * who wrote the message. What still waits in the outbox is laid over it. Gives out frozen-in-practice messages: a changed one is a new object.
 *
 * Of a deleted entry the server keeps a tombstone: an id, a sender and a time, the same whether it was a message, an edit or a reaction. A device
 * that never had its text cannot tell which, and a row for each deleted reaction would say that things were deleted which nobody ever read.
 * Therefore a tombstone is a row only when this device had the text (`had`, kept with the record), or when something that is still there
 * speaks of it as a message: an answer, an edit, a reaction or a pin. All others are no rows; nothing here was lost that could be shown.
 * Touches no storage and no network; `Conversation` feeds it.
 */

/** @import { Body } from './body.js' */
/** @import { Message, Reaction, Version } from './interface.js' */
/** @import { LogRecord } from './records.js' */
/** @import { OutboxItem } from './outbox.js' */

import { parseBody, subjectOf } from './body.js';
import { noticeId } from './records.js';

/** Different emoji shown under one message; further ones are kept and not shown. */
export const MAX_REACTIONS_SHOWN = 50;
/** Earlier texts shown; older ones than these are left out. */
export const MAX_VERSIONS_SHOWN = 100;

/**
 * @typedef {{ id: string, seq: number, sender: string, at: number, text: string, mentions: string[] }} Edit
 * @typedef {{ seq: number, sender: string, emoji: string, on: boolean }} Mark
 * @typedef {{ record: LogRecord | null, body: Body | null, edits: Edit[], marks: Map<string, Mark>, readers: ReadonlySet<string>, deleted: boolean, had: boolean, named: boolean, loaded: boolean, pin: { seq: number, on: boolean } }} Facts
 * what is known of one id, whether or not the message itself has come; `marks` by the id of the reaction; `readers` said that they read up to it; `had`: its text was here once;
 * `named`: something speaks of it as a message; `loaded`: it belongs among those shown
 */

// Most messages have none of these: they share them, and whoever changes one makes its own.
/** @type {Edit[]} */
const NO_EDITS = [];
/** @type {Map<string, Mark>} */
const NO_MARKS = new Map();
/** @type {ReadonlySet<string>} */
const NO_READERS = new Set();
const NO_PIN = { seq: 0, on: false };

export class Timeline {
  #me;
  /** Sent ones, by seq. @type {Message[]} */
  #sent = [];
  /** Written here and not sent yet, in the order of writing. @type {Message[]} */
  #waiting = [];
  /** @type {Map<string, Facts>} */
  #facts = new Map();
  /** @type {readonly OutboxItem[]} */
  #outbox = [];
  /** What waits, by the message that it is about. @type {Map<string, OutboxItem[]>} */
  #overlays = new Map();
  /** Messages that may look different since records were taken in. @type {Set<string>} */
  #touched = new Set();

  /** @param {string} me the user */
  constructor(me) {
    this.#me = me;
  }

  get length() {
    return this.#sent.length + this.#waiting.length;
  }

  /** @param {number} index @returns {Message | undefined} */
  at(index) {
    return index < this.#sent.length ? this.#sent[index] : this.#waiting[index - this.#sent.length];
  }

  /**
   * @param {number} from
   * @param {number} to
   * @returns {Message[]}
   */
  slice(from, to) {
    const sent = this.#sent.length;
    const start = Math.max(0, from);
    return [...this.#sent.slice(start, to), ...this.#waiting.slice(Math.max(0, start - sent), Math.max(0, to - sent))];
  }

  /** @param {string} id */
  indexOf(id) {
    const record = this.#facts.get(id)?.record;
    if (record) {
      const index = this.#placeOf(record.seq);
      if (this.#sent[index]?.id === id) return index;
    }
    const index = this.#waiting.findIndex((message) => message.id === id);
    return index < 0 ? -1 : this.#sent.length + index;
  }

  /** @param {string} id @returns {Message | undefined} */
  find(id) {
    const index = this.indexOf(id);
    return index < 0 ? undefined : this.at(index);
  }

  /** The first message of somebody else after this number that is not deleted. @param {number} seq @returns {Message | undefined} */
  firstOfOthersAfter(seq) {
    for (let index = this.#placeOf(seq + 1); index < this.#sent.length; index += 1) {
      const message = this.#sent[index];
      if (message && isNews(message)) return message;
    }
    return undefined;
  }

  /** Messages of others after this number, looking at `most` messages at most. @param {number} seq @param {number} most */
  countAfter(seq, most) {
    const from = Math.max(this.#placeOf(seq + 1), this.#sent.length - most);
    let unread = 0;
    let mentions = 0;
    for (let index = from; index < this.#sent.length; index += 1) {
      const message = /** @type {Message} */ (this.#sent[index]);
      if (isNews(message)) unread += 1;
      if (message.mentionsMe) mentions += 1;
    }
    return { unread, mentions };
  }

  /** The newest message of somebody else. @returns {Message | undefined} */
  get newestOfOthers() {
    return this.#sent.findLast((message) => isNews(message) && message.kind === 'text');
  }

  /** Who said that they read up to this message. @param {string} id @returns {ReadonlySet<string>} */
  readersOf(id) {
    return this.#facts.get(id)?.readers ?? NO_READERS;
  }

  /** How a message looks that need not be loaded, as far as is known. @param {LogRecord} record @returns {Message} */
  look(record) {
    this.#learn(record);
    return this.#compose(this.#factsOf(record.id));
  }

  /** Retention took these away. @param {number} first the first that is still there */
  dropBelow(first) {
    const gone = this.#sent.splice(0, this.#placeOf(first));
    for (const { id } of gone) this.#facts.delete(id);
    // And what is no row.
    for (const [id, { record }] of this.#facts) if (record && record.seq < first) this.#facts.delete(id);
  }

  clear() {
    this.#sent = [];
    this.#facts.clear();
    this.setOutbox(this.#outbox);
  }

  /** Take records in, in any order; those known already change nothing. @param {readonly LogRecord[]} records */
  put(records) {
    const changed = (this.#touched = new Set());
    /** @type {LogRecord[]} */
    const shown = [];
    for (const record of records) {
      if (record.notice === undefined || record.kind === 'dropped') this.#unsay(record.seq);
      if (record.kind === 'dropped') continue;
      const about = this.#learn(record);
      changed.add(about);
      if (record.kind === 'message') this.#factsOf(record.id).loaded = true;
    }
    for (const id of changed) {
      const facts = this.#facts.get(id);
      if (facts?.record && isRow(facts) && !this.#isShown(facts.record.seq)) shown.push(facts.record);
    }
    this.#insert(shown);
    for (const { id } of shown) changed.delete(id);
    for (const id of changed) this.#redraw(id);
    if (this.#waiting.some(({ id }) => this.#facts.get(id)?.record)) this.setOutbox(this.#outbox);
  }

  /** What waits in this room, in the order of writing. @param {readonly OutboxItem[]} items */
  setOutbox(items) {
    const before = [...this.#overlays.keys()];
    this.#outbox = items;
    this.#overlays = new Map();
    this.#waiting = [];
    for (const item of items) {
      const body = parseBody(item.content);
      if (body.type === 'text') {
        if (!this.#facts.get(item.id)?.record) this.#waiting.push(waitingMessage(item, body, this.#me));
      } else if (body.type !== 'unknown') {
        const about = subjectOf(body) ?? '';
        this.#overlays.set(about, [...(this.#overlays.get(about) ?? []), item]);
      }
    }
    for (const id of new Set([...before, ...this.#overlays.keys()])) this.#redraw(id);
  }

  /** The ids of what goes with a message when it is deleted: edits by its sender, in which its text stands too, and reactions of one's own. @param {string} id */
  partsOf(id) {
    const facts = this.#facts.get(id);
    if (!facts) return [];
    const edits = facts.edits.filter(({ sender }) => sender === facts.record?.sender).map((edit) => edit.id);
    const marks = [...facts.marks].filter(([, { sender }]) => sender === this.#me).map(([mark]) => mark);
    return [...edits, ...marks];
  }

  /** Whether what waits is an edit of, or a reaction to, this message. @param {OutboxItem} item @param {string} id */
  isAbout(item, id) {
    return this.#overlays.get(id)?.some((overlay) => overlay.id === item.id) ?? false;
  }

  /**
   * @param {LogRecord} record
   * @returns {string} the id of the message that may look different now
   */
  #learn(record) {
    const { about } = record;
    if (record.kind === 'message') return this.#learnMessage(record);
    if (about === null) return '';
    const facts = this.#factsOf(about);
    if (record.kind === 'deletion') {
      facts.deleted = true;
      // The target may be an edit or a reaction: then the message that it was about changes.
      return facts.record?.about ? this.#forget(facts.record) : about;
    }
    this.#name(about);
    if (record.seq > facts.pin.seq) facts.pin = { seq: record.seq, on: record.kind === 'pin' };
    return about;
  }

  /** What stands here opened now, or is nothing to be shown: no notice is in its place any more. @param {number} seq */
  #unsay(seq) {
    if (!this.#facts.delete(noticeId(seq))) return;
    if (this.#isShown(seq)) this.#sent.splice(this.#placeOf(seq), 1);
  }

  /** @param {LogRecord} record */
  #learnMessage(record) {
    const facts = this.#factsOf(record.id);
    // Once gone, gone for good: an older page from before the deletion may still bring the text.
    if (record.content === null) facts.deleted = true;
    if (record.content !== null || record.had) facts.had = true;
    // What a deleted entry was about is known only to who had it before.
    const about = record.about ?? facts.record?.about ?? null;
    // What it says is kept once, as `body`.
    facts.record = { ...record, about, content: null };
    const said = record.content === null ? null : parseBody(record.content);
    const body = facts.deleted ? null : said;
    if (about === null) {
      facts.body = body;
      if (said?.type === 'text' && said.replyTo !== null) this.#name(said.replyTo);
      return record.id;
    }
    this.#name(about);
    if (this.#isShown(record.seq)) this.#sent.splice(this.#placeOf(record.seq), 1);
    if (body === null) return this.#forget(facts.record);
    const target = this.#factsOf(about);
    const { id, seq, sender, at } = record;
    if (body.type === 'edit' && !target.edits.some((edit) => edit.id === id)) {
      const edit = { id, seq, sender, at, text: body.text, mentions: body.mentions };
      target.edits = [...target.edits, edit].sort((a, b) => a.seq - b.seq);
    } else if (body.type === 'reaction') {
      if (target.marks === NO_MARKS) target.marks = new Map();
      target.marks.set(id, { seq, sender, emoji: body.emoji, on: body.on });
    } else if (body.type === 'read' && !target.readers.has(sender)) target.readers = new Set([...target.readers, sender]);
    return about;
  }

  /** Something speaks of this as a message. @param {string} id */
  #name(id) {
    const facts = this.#factsOf(id);
    if (facts.named) return;
    facts.named = true;
    this.#touched.add(id);
  }

  /** An edit or a reaction was deleted. @param {LogRecord} record */
  #forget({ id, about }) {
    const target = this.#factsOf(about ?? '');
    target.edits = target.edits.filter((edit) => edit.id !== id);
    target.marks.delete(id);
    return about ?? '';
  }

  /** @param {string} id @returns {Facts} */
  #factsOf(id) {
    let facts = this.#facts.get(id);
    if (!facts) {
      facts = { record: null, body: null, edits: NO_EDITS, marks: NO_MARKS, readers: NO_READERS, deleted: false, had: false, named: false, loaded: false, pin: NO_PIN };
      this.#facts.set(id, facts);
    }
    return facts;
  }

  /** Where the message with this number stands or would stand. @param {number} seq */
  #placeOf(seq) {
    let low = 0;
    let high = this.#sent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sent[middle]?.seq ?? 0) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {number} seq */
  #isShown(seq) {
    return this.#sent[this.#placeOf(seq)]?.seq === seq;
  }

  /** @param {LogRecord[]} records not shown yet */
  #insert(records) {
    if (records.length === 0) return;
    const messages = new Map(records.map((record) => [record.seq, this.#compose(this.#factsOf(record.id))]));
    const added = [...messages.values()].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    const first = added[0]?.seq ?? 0;
    const last = added.at(-1)?.seq ?? 0;
    const place = this.#placeOf(first);
    // Pages come whole: nearly always there is nothing of the log in between.
    if (place === this.#sent.length) this.#sent.push(...added);
    else if (this.#placeOf(last) === place) this.#sent = [...this.#sent.slice(0, place), ...added, ...this.#sent.slice(place)];
    else this.#sent = [...this.#sent, ...added].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  }

  /** @param {string} id */
  #redraw(id) {
    const facts = this.#facts.get(id);
    if (!facts?.record) return;
    const index = this.#placeOf(facts.record.seq);
    if (this.#sent[index]?.id === id) this.#sent[index] = this.#compose(facts);
  }

  /** @param {Facts} facts @returns {Message} */
  #compose({ record, body, edits, marks, deleted, pin }) {
    const { id, seq, sender, at, notice = null, mark = null } = /** @type {LogRecord} */ (record);
    const common = { id, seq, sender, own: sender === this.#me, sentAt: at, state: /** @type {const} */ ('sent'), code: null, failedFile: null, progress: null, notice, mark };
    if (deleted) return { ...common, ...NOTHING, kind: 'deleted' };
    const overlay = this.#overlays.get(id) ?? [];
    const reactions = foldReactions(marks, overlay, this.#me);
    if (body?.type !== 'text') return { ...common, ...NOTHING, kind: 'unknown', reactions, pinned: pin.on };
    const { versions, mentions, editState, code } = foldEdits(at, body, edits.filter((edit) => edit.sender === sender), overlay);
    return {
      ...common,
      code,
      kind: 'text',
      text: versions.at(-1)?.text ?? '',
      edited: versions.slice(0, -1).slice(-MAX_VERSIONS_SHOWN),
      editState,
      replyTo: body.replyTo,
      mentions,
      mentionsMe: sender !== this.#me && mentions.includes(this.#me),
      reactions,
      files: body.files,
      pinned: pin.on,
    };
  }
}

/** @type {Omit<Message, 'id' | 'seq' | 'sender' | 'own' | 'sentAt' | 'state' | 'code' | 'failedFile' | 'progress' | 'kind' | 'notice' | 'mark'>} */
const NOTHING = { text: '', edited: [], editState: 'sent', replyTo: null, mentions: [], mentionsMe: false, reactions: [], files: [], pinned: false };

/** @param {Facts} facts */
function isRow({ record, loaded, deleted, had, named }) {
  return loaded && record?.about === null && (!deleted || had || named);
}

/** @param {Message} message */
function isNews({ own, kind, notice }) {
  // What was before one came is nothing that one missed.
  return !own && kind !== 'deleted' && notice !== 'before';
}

/**
 * @param {OutboxItem} item
 * @param {Extract<Body, { type: 'text' }>} body
 * @param {string} me
 * @returns {Message}
 */
function waitingMessage(item, { text, replyTo, mentions, files }, me) {
  const { id, state, code, at, failedFile = null, progress = null } = item;
  return { ...NOTHING, id, seq: null, sender: me, own: true, sentAt: at, state, code, failedFile, progress, notice: null, mark: null, kind: 'text', text, replyTo, mentions, files };
}

/**
 * @param {number} at
 * @param {{ text: string, mentions: string[] }} original
 * @param {readonly Edit[]} edits in order
 * @param {readonly OutboxItem[]} overlay
 */
function foldEdits(at, original, edits, overlay) {
  /** @type {Version[]} */
  const versions = [{ text: original.text, at }, ...edits.map((edit) => ({ text: edit.text, at: edit.at }))];
  let mentions = (edits.at(-1) ?? original).mentions;
  /** @type {Message['editState']} */
  let editState = 'sent';
  /** @type {string | null} */
  let code = null;
  for (const item of overlay) {
    const body = parseBody(item.content);
    if (body.type !== 'edit' || edits.some(({ id }) => id === item.id)) continue;
    editState = item.state;
    code = item.code;
    if (item.state !== 'waiting') continue;
    versions.push({ text: body.text, at: item.at });
    mentions = body.mentions;
  }
  return { versions, mentions, editState, code };
}

/**
 * @param {ReadonlyMap<string, Mark>} known
 * @param {readonly OutboxItem[]} overlay
 * @param {string} me
 * @returns {Reaction[]}
 */
function foldReactions(known, overlay, me) {
  if (known.size === 0 && overlay.length === 0) return [];
  /** The last word of each person about each emoji. @type {Map<string, Mark>} */
  const last = new Map();
  /** @param {Mark} mark */
  const say = (mark) => {
    const key = `${mark.sender} ${mark.emoji}`;
    if (mark.seq >= (last.get(key)?.seq ?? 0)) last.set(key, mark);
  };
  for (const mark of known.values()) say(mark);
  for (const item of overlay) {
    const body = parseBody(item.content);
    if (body.type === 'reaction' && item.state === 'waiting') say({ seq: Number.MAX_SAFE_INTEGER, sender: me, emoji: body.emoji, on: body.on });
  }
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const { sender, emoji } of [...last.values()].filter(({ on }) => on).sort((a, b) => a.seq - b.seq)) {
    users.set(emoji, [...(users.get(emoji) ?? []), sender]);
  }
  return [...users].slice(0, MAX_REACTIONS_SHOWN).map(([emoji, who]) => ({ emoji, users: who, own: who.includes(me) }));
}
