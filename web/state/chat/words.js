/**
 * The words of a text as search sees them: lower case, without diacritics, ё as е; и and й stay two letters. Scripts that are written without
 * spaces give each character as a word. Pure.
 */

/** A longer run of letters is no word of any language; its beginning is enough to find it. */
const MAX_WORD_LENGTH = 40;
/** A body has at most 32,000 bytes; a text of 2,000 different words is a book's chapter. */
const MAX_WORDS = 2_000;

/** Most texts are in letters that have no marks to take off: they are spared the slow way. */
const PLAIN = /^[\x20-\x7e\sа-яё«»–—…’“”№]*$/;
const PLAIN_WORD = /[a-z0-9_а-я]+/g;
const WORD = /[\p{L}\p{N}_]+/gu;
const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;

/**
 * @param {string} text
 * @returns {string[]} each once
 */
export function wordsOf(text) {
  return [...new Set(runsOf(text))];
}

/**
 * @param {string} text
 * @returns {string[]} in order, with repetitions
 */
export function runsOf(text) {
  const runs = split(text.toLowerCase());
  if (runs.length > MAX_WORDS) runs.length = MAX_WORDS;
  return runs.map((run) => (run.length > MAX_WORD_LENGTH ? run.slice(0, MAX_WORD_LENGTH) : run));
}

/** @param {string} lower @returns {string[]} */
function split(lower) {
  if (PLAIN.test(lower)) return lower.replaceAll('ё', 'е').match(PLAIN_WORD) ?? [];
  const bare = lower
    .normalize('NFKD')
    .replaceAll('и\u0306', 'й')
    .replace(/\p{M}+/gu, '')
    .replace(SPACELESS, ' $& ');
  return bare.match(WORD) ?? [];
}
