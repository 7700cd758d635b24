/**
 * Bodies of messages, version 1: what clients write to each other. The server never looks inside.
 *
 * A body is hostile input: whoever is in the room wrote it, with whatever program. Every type and length is checked here, and what does
 * not fit is `unknown`, so that nothing behind this module checks again. Pure.
 */

/** @import { FileInfo } from './interface.js' */

/**
 * @typedef {{ type: 'text', text: string, replyTo: string | null, mentions: string[], files: FileInfo[] }} TextBody
 * @typedef {{ type: 'edit', of: string, text: string, mentions: string[] }} EditBody
 * @typedef {{ type: 'reaction', to: string, emoji: string, on: boolean }} ReactionBody
 * @typedef {{ type: 'read', of: string }} ReceiptBody its sender has read all up to this message
 * @typedef {TextBody | EditBody | ReactionBody | ReceiptBody | { type: 'unknown' }} Body
 */

/** The server takes twice as much: the rest is for the seal of end-to-end encryption. */
export const MAX_BODY_BYTES = 32_000;
/** What one seal takes (`web/crypto/src/chat/body.rs`). */
export const MAX_SEALED_BYTES = 16_000;
/** Each mention is looked up and may notify. */
export const MAX_MENTIONS = 50;
/** As many as a message shows without a scrollbar of its own. */
export const MAX_FILES = 10;
/** The longest emoji, a family with skin tones, has fewer UTF-16 units. */
const MAX_EMOJI_LENGTH = 40;
const MAX_NAME_LENGTH = 255;
const MAX_TYPE_LENGTH = 100;
const MAX_THUMBNAIL_LENGTH = 8_192;
/** Key, digest, length, name and type in base64 (`web/crypto/src/files/attachment.rs`). */
const MAX_SEALED_LENGTH = 1_260;
const MAX_SIDE = 100_000;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const EMOJI = /^[\p{Extended_Pictographic}\p{Emoji_Component}\ufe0f\u200d\u20e3]+$/u;
const MEDIA_TYPE = /^[a-z0-9][\w.+-]*\/[a-z0-9][\w.+-]*$/i;
const THUMBNAIL = /^data:image\/(?:jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Control characters, path separators, and what turns text around: `photo\u202Egpj.exe` must not look like a picture. */
const MISLEADING = /[\u0000-\u001f\u007f-\u009f/\\\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/** @type {{ type: 'unknown' }} */
const UNKNOWN = { type: 'unknown' };

/**
 * @param {string} json
 * @returns {Body}
 */
export function parseBody(json) {
  // A UTF-16 unit takes at most three bytes; only in between the exact count is needed.
  if (json.length > MAX_BODY_BYTES || (json.length * 3 > MAX_BODY_BYTES && byteLength(json) > MAX_BODY_BYTES)) return UNKNOWN;
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(json);
  } catch {
    return UNKNOWN;
  }
  if (!isRecord(value) || value['v'] !== 1) return UNKNOWN;
  if (value['type'] === 'text') return parseText(value);
  if (value['type'] === 'edit') return parseEdit(value);
  if (value['type'] === 'reaction') return parseReaction(value);
  if (value['type'] === 'read') return isUuid(value['of']) ? { type: 'read', of: value['of'] } : UNKNOWN;
  return UNKNOWN;
}

/**
 * @param {Exclude<Body, { type: 'unknown' }>} body
 * @param {number} [mostBytes]
 * @returns {string | null} null for what may not be sent: nothing in it, or too much
 */
export function writeBody(body, mostBytes = MAX_BODY_BYTES) {
  const json = JSON.stringify(plain(body));
  return parseBody(json).type === body.type && byteLength(json) <= mostBytes ? json : null;
}

/**
 * The same body with other ids of its files.
 * @param {string} json as `writeBody` made it
 * @param {ReadonlyMap<string, string>} ids
 */
export function withFileIds(json, ids) {
  const body = parseBody(json);
  if (ids.size === 0 || body.type !== 'text') return json;
  return JSON.stringify(plain({ ...body, files: body.files.map((file) => ({ ...file, id: ids.get(file.id) ?? file.id })) }));
}

/** The message that a body is about, if it is none itself. @param {Body} body @returns {string | null} */
export function subjectOf(body) {
  if (body.type === 'reaction') return body.to;
  return body.type === 'edit' || body.type === 'read' ? body.of : null;
}

/** @param {string} json @param {string} id @returns {string | null} */
export function fileName(json, id) {
  const body = parseBody(json);
  return body.type === 'text' ? (body.files.find((file) => file.id === id)?.name ?? null) : null;
}

/** @param {unknown} value @returns {value is string} */
export function isUuid(value) {
  return typeof value === 'string' && UUID.test(value);
}

/** @param {unknown} value @returns {value is string} */
export function isEmoji(value) {
  // Digits and `#` are components of emoji, but none by themselves.
  return typeof value === 'string' && value.length <= MAX_EMOJI_LENGTH && EMOJI.test(value) && /[^\x00-\x7f]/.test(value);
}

/** @param {Record<string, unknown>} value @returns {Body} */
function parseText({ text, reply_to: replyTo, mentions, files }) {
  if (typeof text !== 'string' || !isOptional(replyTo, isUuid)) return UNKNOWN;
  const people = parseMentions(mentions);
  const parsedFiles = parseFiles(files);
  if (people === null || parsedFiles === null) return UNKNOWN;
  if (text.trim() === '' && parsedFiles.length === 0) return UNKNOWN;
  return { type: 'text', text, replyTo: replyTo ?? null, mentions: people, files: parsedFiles };
}

/** @param {Record<string, unknown>} value @returns {Body} */
function parseEdit({ of, text, mentions }) {
  const people = parseMentions(mentions);
  // An edited message may lose its text when it has files; whether it has is not known here.
  return isUuid(of) && typeof text === 'string' && people !== null ? { type: 'edit', of, text, mentions: people } : UNKNOWN;
}

/** @param {Record<string, unknown>} value @returns {Body} */
function parseReaction({ to, emoji, on }) {
  return isUuid(to) && isEmoji(emoji) && typeof on === 'boolean' ? { type: 'reaction', to, emoji, on } : UNKNOWN;
}

/** @param {unknown} value @returns {string[] | null} */
function parseMentions(value) {
  if (value === undefined) return [];
  return Array.isArray(value) && value.length <= MAX_MENTIONS && value.every(isUuid) ? [...new Set(value)] : null;
}

/** @param {unknown} value @returns {FileInfo[] | null} */
function parseFiles(value) {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_FILES) return null;
  const files = value.map(parseFile);
  return files.includes(null) ? null : /** @type {FileInfo[]} */ (files);
}

/** @param {unknown} value @returns {FileInfo | null} */
function parseFile(value) {
  if (!isRecord(value)) return null;
  const { id, name, type, size, width, height, thumbnail, sealed } = value;
  if (!isUuid(id) || typeof name !== 'string' || name.length > MAX_NAME_LENGTH || !isCount(size)) return null;
  if (!isOptional(width, isSide) || !isOptional(height, isSide) || !isOptional(thumbnail, isThumbnail) || !isOptional(sealed, isSealed)) return null;
  return {
    id,
    name: name.replace(MISLEADING, '_').trim() || '_',
    type: typeof type === 'string' && type.length <= MAX_TYPE_LENGTH && MEDIA_TYPE.test(type) ? type : 'application/octet-stream',
    size,
    ...(width !== undefined && height !== undefined ? { width, height } : {}),
    ...(thumbnail !== undefined ? { thumbnail } : {}),
    ...(sealed !== undefined ? { sealed } : {}),
  };
}

/** The object as it is written: empty lists are left out. @param {Exclude<Body, { type: 'unknown' }>} body */
function plain(body) {
  if (body.type === 'reaction' || body.type === 'read') return { v: 1, ...body };
  const mentions = body.mentions.length > 0 ? { mentions: body.mentions } : {};
  if (body.type === 'edit') return { v: 1, type: 'edit', of: body.of, text: body.text, ...mentions };
  return {
    v: 1,
    type: 'text',
    text: body.text,
    ...(body.replyTo === null ? {} : { reply_to: body.replyTo }),
    ...mentions,
    ...(body.files.length > 0 ? { files: body.files } : {}),
  };
}

/** @param {string} text */
function byteLength(text) {
  return new TextEncoder().encode(text).length;
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isRecord(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * @template T
 * @param {unknown} value
 * @param {(value: unknown) => value is T} is
 * @returns {value is T | undefined}
 */
function isOptional(value, is) {
  return value === undefined || is(value);
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0;
}

/** @param {unknown} value @returns {value is number} */
function isSide(value) {
  return isCount(value) && value >= 1 && value <= MAX_SIDE;
}

/** @param {unknown} value @returns {value is string} */
function isSealed(value) {
  return typeof value === 'string' && value.length <= MAX_SEALED_LENGTH && BASE64.test(value);
}

/** @param {unknown} value @returns {value is string} */
function isThumbnail(value) {
  return typeof value === 'string' && value.length <= MAX_THUMBNAIL_LENGTH && THUMBNAIL.test(value);
}
