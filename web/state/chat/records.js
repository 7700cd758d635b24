/**
 * An entry of a room's log as the local copy keeps it: opened, and with what it is about beside it, so that what a deletion takes away is found.
 * Checks what came from the server, because it is kept for long. Pure.
 */

/** @import { Entry, EntryKind } from '../../protocol.js' */

import { isUuid, parseBody, subjectOf } from './body.js';

/**
 * @typedef {object} LogRecord
 * @property {string} room
 * @property {number} seq
 * @property {string} id
 * @property {EntryKind | 'dropped'} kind `dropped`: an entry of an encrypted room that is not shown at all; only its number is held
 * @property {string} sender of an encrypted room: who signed it; empty: nobody is said to have written it
 * @property {number} at
 * @property {string | null} content the opened body; null: deleted, or no message; empty: it could not be read
 * @property {string | null} about the message that this edit, reaction, receipt, deletion or pin is about
 * @property {boolean} [had] of one that is deleted: this device had its text before
 * @property {Notice} [notice] in its place stands why it is not shown
 * @property {boolean} [keyless] refused for want of a key that fits, of what was written before: the keys of an earlier group of the room may open it
 * @property {Mark} [mark] what is to be said of its place
 * @property {string} [hash] what other messages of an encrypted room call this one by, in base64
 * @property {{ entry: Entry, way: Way }} [later] as it came, to be opened another time
 *
 * How an entry is opened. `open_message`: as the next of the log; `open_new`: the same, or as one further back where the keys call it old, for the
 * local copy had nothing of the room when it came, and the keys may have known more; `open_waited`: as the next of the log, which it was when it came,
 * in time, and could not be opened; `read_message`: as one further back.
 * @typedef {'open_message' | 'open_new' | 'open_waited' | 'read_message'} Way
 *
 * `plain`: not encrypted, in a room that is; `before`: written before this device was in the room; `later`: cannot be opened yet; `refused`: is
 * not what it says to be.
 * @typedef {'plain' | 'before' | 'later' | 'refused'} Notice
 * `gap`: something is missing before it; `fork`: its order among its sender's messages is not sure.
 * @typedef {'gap' | 'fork'} Mark
 */

const KINDS = new Set(['message', 'deletion', 'pin', 'unpin']);

/** Throws when it is none. @param {Entry} entry */
export function checked(entry) {
  if (!isEntry(entry)) throw Object.assign(new Error('no entry'), { code: 'bad_answer' });
}

/** Throws when they do not follow one another, or one is none. @param {readonly Entry[]} entries */
export function checkedRow(entries) {
  const first = entries[0]?.seq ?? 0;
  for (const [index, entry] of entries.entries()) {
    checked(entry);
    if (entry.seq !== first + index) throw Object.assign(new Error('entries with a gap'), { code: 'bad_answer' });
  }
}

/**
 * @param {string} room
 * @param {Entry} entry
 * @param {string | null} content what its body says; null: it has none
 * @returns {LogRecord}
 */
export function recordOf(room, { id, seq, kind, sender, sent_at: at, target }, content) {
  return { room, seq, id, kind, sender, at, content, about: kind === 'message' ? aboutOf(content) : target };
}

/**
 * A message as it is kept once it is deleted.
 * @template {{ content: unknown, had?: boolean }} R a record, or what is kept of it
 * @param {R} record
 * @returns {R}
 */
export function emptied(record) {
  return record.content === null ? record : { ...record, content: null, had: true };
}

/**
 * A deleted message that came again says less than what was known of it when it had a text.
 * @template {Omit<LogRecord, 'content'> & { content: unknown }} R
 * @param {R} record
 * @param {R | undefined} before
 * @returns {R}
 */
export function remembered(record, before) {
  if (record.kind !== 'message' || record.content !== null || before?.id !== record.id) return record;
  const { about, had } = emptied(before);
  return { ...record, about: record.about ?? about, ...(had ? { had } : {}) };
}

/** Whether its id is its sender's word: only what was opened here, if only before it was deleted. Of all else the server chose the id. @param {LogRecord} record */
export function wasOpened({ hash, had }) {
  return hash !== undefined || had === true;
}

/** Whether it is shown as a message, with its mark. @param {LogRecord} record */
export function isOpenedMessage({ hash, about }) {
  return hash !== undefined && about === null;
}

/** The id of a notice in a room. @param {number} seq */
export function noticeId(seq) {
  return `notice-${seq}`;
}

/** @param {Entry} entry */
function isEntry({ id, seq, kind, sender, sent_at: at, body, target }) {
  return (
    isUuid(id) && isUuid(sender) && Number.isSafeInteger(seq) && seq >= 1 && Number.isSafeInteger(at) && KINDS.has(kind) &&
    (body === null || typeof body === 'string') && (target === null || isUuid(target))
  );
}

/** @param {string | null} content */
function aboutOf(content) {
  // Most messages are plain: only those that may be about another are parsed here.
  if (content === null || !/"(?:edit|reaction|read)"/.test(content)) return null;
  return subjectOf(parseBody(content));
}
