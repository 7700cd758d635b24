/**
 * An entry of a room's log as the local copy keeps it: opened, and with what it is about beside it, so that what a deletion takes away is found.
 * Checks what came from the server, because it is kept for long. Pure.
 */

/** @import { Entry, EntryKind } from '../../protocol.js' */
/** @import { Sealer } from './seal.js' */

import { isUuid, parseBody } from './body.js';

/**
 * @typedef {object} LogRecord
 * @property {string} room
 * @property {number} seq
 * @property {string} id
 * @property {EntryKind} kind
 * @property {string} sender
 * @property {number} at
 * @property {string | null} content the opened body; null: deleted, or no message; empty: it could not be read
 * @property {string | null} about the message that this edit, reaction, deletion or pin is about
 * @property {boolean} [had] of one that is deleted: this device had its text before
 */

const KINDS = new Set(['message', 'deletion', 'pin', 'unpin']);

/**
 * @param {string} room
 * @param {Entry} entry
 * @param {Sealer} sealer
 * @returns {Promise<LogRecord>}
 */
export async function toRecord(room, entry, sealer) {
  if (!isEntry(entry)) throw Object.assign(new Error('no entry'), { code: 'bad_answer' });
  const { id, seq, kind, sender } = entry;
  const content = kind === 'message' && entry.body !== null ? await sealer.open(room, entry.body) : null;
  return { room, seq, id, kind, sender, at: entry.sent_at, content, about: kind === 'message' ? aboutOf(content) : entry.target };
}

/**
 * A message as it is kept once it is deleted.
 * @param {LogRecord} record
 * @returns {LogRecord}
 */
export function emptied(record) {
  return record.content === null ? record : { ...record, content: null, had: true };
}

/**
 * A deleted message that came again says less than what was known of it when it had a text.
 * @param {LogRecord} record
 * @param {LogRecord | undefined} before
 * @returns {LogRecord}
 */
export function remembered(record, before) {
  if (record.kind !== 'message' || record.content !== null || before?.id !== record.id) return record;
  const { about, had } = emptied(before);
  return { ...record, about: record.about ?? about, ...(had ? { had } : {}) };
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
  if (content === null || !/"(?:edit|reaction)"/.test(content)) return null;
  const body = parseBody(content);
  return body.type === 'edit' ? body.of : body.type === 'reaction' ? body.to : null;
}
