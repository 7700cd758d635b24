/** What is being typed in a message: a name after `@`, an emoji after `:`, and what fits. Pure. */

/** @import { Person } from '../../state/chat/interface.js' */

import { language } from '../../i18n/index.js';
import { emojiNamed, findEmoji } from '../../ui/emoji.js';

const MOST_OFFERED = 7;
/** One letter after a colon is more often a smiley drawn with signs than a name. */
const LEAST_EMOJI_LETTERS = 2;

/** @typedef {{ kind: 'person' | 'emoji', typed: string, from: number, to: number }} Typed */
/** @typedef {{ insert: string, label: string, sign: string | null }} Offer */

/**
 * The name that ends at the cursor.
 * @param {string} text
 * @param {number} cursor
 * @returns {Typed | null}
 */
export function typedAt(text, cursor) {
  const before = text.slice(0, cursor);
  const person = /(?:^|[\s(])@([A-Za-z0-9_.-]{0,32})$/.exec(before);
  if (person) return { kind: 'person', typed: person[1] ?? '', from: cursor - (person[1] ?? '').length - 1, to: cursor };
  const emoji = /(?:^|[\s(])[:]([\p{L}\d_]{1,30})$/u.exec(before);
  if (!emoji || (emoji[1] ?? '').length < LEAST_EMOJI_LETTERS) return null;
  return { kind: 'emoji', typed: emoji[1] ?? '', from: cursor - (emoji[1] ?? '').length - 1, to: cursor };
}

/**
 * @param {Typed} typed
 * @param {readonly Person[]} members
 * @param {string} self their own name is not offered
 * @returns {Offer[]}
 */
export function offers(typed, members, self) {
  if (typed.kind === 'emoji') return findEmoji(typed.typed, language(), MOST_OFFERED).map(({ sign, title }) => ({ insert: `${sign} `, label: title, sign }));
  const wanted = typed.typed.toLowerCase();
  const found = members.filter(({ username }) => username !== self && username.toLowerCase().includes(wanted));
  const first = (/** @type {Person} */ { username }) => Number(!username.toLowerCase().startsWith(wanted));
  found.sort((a, b) => first(a) - first(b) || a.username.localeCompare(b.username));
  return found.slice(0, MOST_OFFERED).map(({ username }) => ({ insert: `@${username} `, label: username, sign: null }));
}

/** Names between colons become their signs as the text is sent. @param {string} text */
export function withEmoji(text) {
  return text.replace(/(^|[\s(]):([\p{L}\d_]{2,30}):(?=$|[\s).,!?])/gu, (whole, before, name) => {
    const sign = emojiNamed(name);
    return sign === null ? whole : `${before}${sign}`;
  });
}
