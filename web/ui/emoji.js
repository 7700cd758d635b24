/** Emoji by name: what `:smi` may mean, and all of them for the picker. Pure; the names are in `emoji-table.js`. */

import { EMOJI_TABLE } from './emoji-table.js';

/** @typedef {{ sign: string, name: string, title: string, words: readonly string[] }} Emoji `title` in the language asked for */

/** The first of the table: what people answer with most. */
export const QUICK_REACTIONS = 6;

/** @type {{ sign: string, english: string[], russian: string[], words: string[] }[]} */
const ALL = EMOJI_TABLE.trim()
  .split('\n')
  .map((line) => {
    const space = line.indexOf(' ');
    const [english = [], russian = []] = line.slice(space + 1).split('|').map((names) => names.split(' '));
    return { sign: line.slice(0, space), english, russian, words: [...english, ...russian].map(folded) };
  });

/**
 * @param {'en' | 'ru'} language
 * @returns {Emoji[]}
 */
export function allEmoji(language) {
  return ALL.map((one) => named(one, language));
}

/**
 * Those of which a name begins with what was typed, then those of which a part of a name does.
 * @param {string} typed
 * @param {'en' | 'ru'} language
 * @param {number} limit
 * @returns {Emoji[]}
 */
export function findEmoji(typed, language, limit) {
  const wanted = folded(typed);
  const begins = ALL.filter(({ words }) => words.some((word) => word.startsWith(wanted)));
  const within = ALL.filter((one) => !begins.includes(one) && one.words.some((word) => word.includes(`_${wanted}`)));
  return [...begins, ...within].slice(0, limit).map((one) => named(one, language));
}

/**
 * The emoji of exactly this name, for `:name:` written out.
 * @param {string} name
 * @returns {string | null}
 */
export function emojiNamed(name) {
  const wanted = folded(name);
  return ALL.find(({ words }) => words.includes(wanted))?.sign ?? null;
}

/**
 * @param {{ sign: string, english: string[], russian: string[], words: string[] }} one
 * @param {'en' | 'ru'} language
 * @returns {Emoji}
 */
function named({ sign, english, russian, words }, language) {
  const name = (language === 'ru' ? russian : english)[0] ?? '';
  return { sign, name, title: name.replaceAll('_', ' '), words };
}

/** @param {string} text */
function folded(text) {
  return text.toLowerCase().replaceAll('ё', 'е');
}
