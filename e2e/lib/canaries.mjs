// Looks for words that were planted, in whatever was collected: as they are, in the forms in which bytes travel in texts, and in everything
// that inflates. A scan that finds nothing says something only beside one that finds all (`canaries.test.mjs`, and each spec's open room).

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';

/** What one stream may become; beyond it the rest is not looked at. */
const MAX_INFLATED_BYTES = 64 * 2 ** 20;
/** Streams within streams, and within texts: base64 of a gzip is two. */
const MAX_DEPTH = 3;
/** A shorter run of letters is no text that was encoded. */
const BASE64_RUN = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
const GZIP_HEAD_BYTES = 10;
/** Runs of one collected thing that are decoded. A database page has a handful, a log line one. */
const MAX_RUNS = 200_000;

/** A word that nobody else writes: what it is of, and 64 random bits. */
export function canary(what) {
  return `canary ${what} ${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex')}`;
}

/**
 * All ways in which a text, or bytes that are none, may stand among other bytes without being compressed, as bytes.
 * Of base64 only what does not depend on its neighbours, for each of three places where it may begin.
 * @param {string | Uint8Array} wanted
 */
export function forms(wanted) {
  const encoded = encodedForms(Buffer.from(wanted));
  if (typeof wanted !== 'string') return encoded;
  const little = Buffer.from(wanted, 'utf16le');
  const texts = new Set([encodeURIComponent(wanted), escaped(wanted)]);
  return [...encoded, little, Buffer.from(little).swap16(), ...[...texts].map((each) => Buffer.from(each))];
}

/** @param {Buffer} bytes */
function encodedForms(bytes) {
  const hex = bytes.toString('hex');
  const base64 = [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').replace(/=+$/, '');
    return whole.slice(Math.ceil((shift * 4) / 3), Math.floor(((shift + bytes.length) * 4) / 3));
  });
  const texts = [hex, hex.toUpperCase(), ...base64, ...base64.map((each) => each.replaceAll('+', '-').replaceAll('/', '_'))];
  return [bytes, ...[...new Set(texts)].map((each) => Buffer.from(each))];
}

/** As JSON may write it. */
function escaped(text) {
  return JSON.stringify(text).slice(1, -1).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Where each word stands.
 * @param {readonly { place: string, bytes: Uint8Array }[]} collected
 * @param {Record<string, string | Uint8Array>} words by name
 * @returns {Record<string, string[]>} the places of each, sorted; none: an empty list
 */
export function placesOf(collected, words) {
  const wanted = Object.entries(words).map(([name, text]) => ({ name, shapes: forms(text), places: new Set() }));
  for (const { place, bytes } of collected) {
    for (const view of views(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))) {
      for (const { shapes, places } of wanted) if (!places.has(place) && shapes.some((shape) => view.includes(shape))) places.add(place);
    }
  }
  return Object.fromEntries(wanted.map(({ name, places }) => [name, [...places].sort()]));
}

/** The bytes, and what they become when they are, or have in them, a stream or base64 of one. */
function* views(bytes, depth = 0) {
  yield bytes;
  if (depth === MAX_DEPTH) return;
  for (const inflated of streams(bytes)) yield* views(inflated, depth + 1);
  let runs = 0;
  for (const [run] of bytes.toString('latin1').matchAll(BASE64_RUN)) {
    if (++runs > MAX_RUNS) return;
    const decoded = Buffer.from(run, 'base64');
    for (const inflated of streams(decoded)) yield* views(inflated, depth + 1);
  }
}

/** What begins here and inflates, in any of four formats, and every gzip and zlib stream further on that says by its head that it is one. */
function* streams(bytes) {
  for (const inflate of [inflateRawSync, brotliDecompressSync]) yield* inflated(inflate, bytes);
  for (let at = bytes.indexOf(0x1f); at !== -1; at = bytes.indexOf(0x1f, at + 1)) {
    if (bytes[at + 1] !== 0x8b || bytes[at + 2] !== 8) continue;
    yield* inflated(gunzipSync, bytes.subarray(at));
    // The same without its head of ten bytes (RFC 1952 §2.3): what follows the stream is then no matter.
    yield* inflated(inflateRawSync, bytes.subarray(at + GZIP_HEAD_BYTES));
  }
  for (let at = bytes.indexOf(0x78); at !== -1; at = bytes.indexOf(0x78, at + 1)) {
    // RFC 1950 §2.2: the two bytes as a number are a multiple of 31.
    if (at + 1 < bytes.length && bytes.readUInt16BE(at) % 31 === 0) yield* inflated(inflateSync, bytes.subarray(at));
  }
}

/** As much as comes out before the stream ends or breaks. */
function inflated(inflate, bytes) {
  const flush = inflate === brotliDecompressSync ? constants.BROTLI_OPERATION_FLUSH : constants.Z_SYNC_FLUSH;
  try {
    const out = inflate(bytes, { finishFlush: flush, maxOutputLength: MAX_INFLATED_BYTES });
    return out.length === 0 ? [] : [out];
  } catch {
    return [];
  }
}

/** Every file of a folder, named by its path in there. */
export function filesIn(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    return { place: path.slice(folder.length + 1), bytes: readFileSync(path) };
  });
}
