/**
 * Text with its links: only `http:` and `https:`, opened in a window that learns nothing of this one. Nothing is fetched to show a link,
 * and what is shown is the whole address, so that nobody is led elsewhere than they read.
 */

import { el } from './dom.js';

const CANDIDATE = /\bhttps?:\/\/[^\s<>"\u200b\u202a-\u202e\u2066-\u2069]+/giu;
/** Ends a sentence rather than an address. */
const TRAILING = /[.,;:!?'»”…]+$/u;
/** Longer ones are shown as text: no browser follows them, and looking at them costs. */
const LONGEST = 2_048;
/** Of one message; a wall of links is shown as text from there on. */
const MOST = 100;

/** @typedef {{ text: string, href: string | null }} Piece */

/**
 * Pure: what of a text is a link.
 * @param {string} text
 * @returns {Piece[]}
 */
export function splitLinks(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(CANDIDATE)) {
    if (pieces.length > 2 * MOST) break;
    const shown = trimmed(found[0]);
    const href = safeAddress(shown);
    if (href === null) continue;
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), href: null });
    pieces.push({ text: shown, href });
    from = found.index + shown.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), href: null });
  return pieces;
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function linked(text) {
  return splitLinks(text).map((piece) => (piece.href === null ? piece.text : el('a', { href: piece.href, target: '_blank', rel: 'noopener noreferrer', dir: 'ltr' }, piece.text)));
}

/** A closing bracket belongs to the address only when it was opened in it. @param {string} found */
function trimmed(found) {
  let text = found.replace(TRAILING, '');
  for (const [open, close] of [['(', ')'], ['[', ']'], ['{', '}']]) {
    while (text.endsWith(/** @type {string} */ (close)) && count(text, /** @type {string} */ (close)) > count(text, /** @type {string} */ (open))) text = text.slice(0, -1).replace(TRAILING, '');
  }
  return text;
}

/**
 * @param {string} text
 * @param {string} letter
 */
function count(text, letter) {
  return text.split(letter).length - 1;
}

/** @param {string} text */
function safeAddress(text) {
  if (text.length > LONGEST || !URL.canParse(text)) return null;
  const url = new URL(text);
  // A name before the host is how one address is made to look like another.
  if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return null;
  return url.href;
}
