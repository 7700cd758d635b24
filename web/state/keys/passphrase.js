/**
 * Whether a passphrase may be relied upon. The server keeps what it opens and can guess as often as it likes; each guess is made dear, and few
 * guesses must not be enough.
 */

/** In characters. */
export const MIN_CHARACTERS = 12;
/** Different ones among them. */
const MIN_DISTINCT = 6;
/** What is left of it when the person's name is taken out. */
const MIN_BESIDE_NAME = 8;
/** As they lie on keyboards: what is typed by moving on to the next key is tried first. */
const ROWS = ['qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю'];

/** In the form in which it is used, however this keyboard writes it. @param {string} text */
export function normalized(text) {
  return text.normalize('NFKC');
}

/**
 * Why it is guessed too easily; null: it may do.
 * @param {string} text
 * @param {string} username
 * @returns {'passphrase_short' | 'passphrase_plain' | 'passphrase_name' | null}
 */
export function weaknessOf(text, username) {
  const characters = [...normalized(text).toLowerCase()];
  if (characters.length < MIN_CHARACTERS) return 'passphrase_short';
  if (new Set(characters).size < MIN_DISTINCT || isRepeated(characters) || isRun(characters)) return 'passphrase_plain';
  const beside = characters.join('').replaceAll(username.toLowerCase(), '');
  return [...beside].length < MIN_BESIDE_NAME ? 'passphrase_name' : null;
}

/** One piece again and again, the last time perhaps not to its end. @param {string[]} characters */
function isRepeated(characters) {
  for (let length = 1; length <= characters.length / 2; length += 1) {
    if (characters.every((character, at) => character === characters[at % length])) return true;
  }
  return false;
}

/** More than half of it follows from the character before. @param {string[]} characters */
function isRun(characters) {
  const following = characters.filter((character, at) => at > 0 && follows(characters[at - 1] ?? '', character)).length;
  return following > characters.length / 2;
}

/** @param {string} before @param {string} character */
function follows(before, character) {
  const step = (character.codePointAt(0) ?? 0) - (before.codePointAt(0) ?? 0);
  if (Math.abs(step) <= 1) return true;
  return ROWS.some((row) => row.includes(before + character) || row.includes(character + before));
}
