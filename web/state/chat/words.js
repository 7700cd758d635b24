/**
 * The words of a text as search sees them: lower case, without diacritics, ё as е; и and й stay two letters. Scripts that are written without
 * spaces give each character as a word. Pure.
 */

/** A longer run of letters is no word of any language; its beginning is enough to find it. */
const MAX_WORD_LENGTH = 40;
/** A body has at most 32,000 bytes; a text of 2,000 different words is a book's chapter. */
const MAX_WORDS = 2_000;

const PLAIN = /^[\x20-\x7e\s]*$/;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * @param {string} text
 * @returns {string[]} each once
 */
export function wordsOf(text) {
  const runs = fold(text).match(/[\p{L}\p{N}_]+/gu) ?? [];
  const words = new Set();
  for (const run of runs) {
    words.add(run.length > MAX_WORD_LENGTH ? run.slice(0, MAX_WORD_LENGTH) : run);
    if (words.size >= MAX_WORDS) break;
  }
  return [...words];
}

/** @param {string} text */
function fold(text) {
  const lower = text.toLowerCase();
  if (PLAIN.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replaceAll('и\u0306', 'й')
    .replace(/\p{M}+/gu, '')
    .replace(SPACELESS, ' $& ');
}
