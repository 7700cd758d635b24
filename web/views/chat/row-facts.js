/** What a message's row shows beside the message itself: pure decisions about its neighbours. */

/** @import { Message } from '../../state/chat/interface.js' */

/** Messages of one person this close together stand under one name. */
const GROUP_MS = 5 * 60_000;
/** Of a message in one line: a quote, a pin, the list of conversations. */
const EXCERPT_LETTERS = 160;
/** A mention, as accounts may be called; what ends a sentence is not part of it. */
export const MENTION = /(?<![A-Za-z0-9_.@-])@([A-Za-z0-9_.-]{2,31}[A-Za-z0-9_-])/g;

/** @typedef {{ day: boolean, grouped: boolean, unreadLine: boolean }} RowFacts */

/**
 * @param {Message | undefined} previous
 * @param {Message} message
 * @param {string | null} firstUnreadId
 * @returns {RowFacts}
 */
export function rowFacts(previous, message, firstUnreadId) {
  const day = !previous || !sameDay(previous.sentAt, message.sentAt);
  const unreadLine = message.id === firstUnreadId;
  const close = previous !== undefined && previous.sender === message.sender && message.sentAt - previous.sentAt < GROUP_MS;
  return { day, unreadLine, grouped: close && !day && !unreadLine && message.replyTo === null && message.notice === previous.notice && previous.kind !== 'deleted' };
}

/**
 * @param {number} oneMs
 * @param {number} otherMs
 */
export function sameDay(oneMs, otherMs) {
  const [one, other] = [new Date(oneMs), new Date(otherMs)];
  return one.getDate() === other.getDate() && one.getMonth() === other.getMonth() && one.getFullYear() === other.getFullYear();
}

/**
 * A text in one line.
 * @param {string} text
 */
export function excerpt(text) {
  // Of a long text only the beginning is looked at.
  const line = text.slice(0, EXCERPT_LETTERS * 8).replace(/\s+/g, ' ').trim();
  if (line.length <= EXCERPT_LETTERS) return line;
  const letters = [...line.slice(0, EXCERPT_LETTERS * 2 + 2)];
  return letters.length > EXCERPT_LETTERS ? `${letters.slice(0, EXCERPT_LETTERS).join('')}…` : line;
}

/**
 * Where people are mentioned in a text.
 * @param {string} text
 * @param {ReadonlySet<string>} names of those mentioned, in lower case
 * @returns {{ text: string, mention: string | null }[]}
 */
export function splitMentions(text, names) {
  if (names.size === 0) return [{ text, mention: null }];
  const pieces = [];
  let from = 0;
  for (const found of text.matchAll(MENTION)) {
    const name = /** @type {string} */ (found[1]).toLowerCase();
    if (!names.has(name)) continue;
    if (found.index > from) pieces.push({ text: text.slice(from, found.index), mention: null });
    pieces.push({ text: found[0], mention: name });
    from = found.index + found[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), mention: null });
  return pieces;
}

/**
 * What came in since a number, of other people: from the end backwards, as far as it goes but no farther than `most`.
 * @param {{ length: number, at: (index: number) => Message | undefined }} messages
 * @param {number} seq
 * @param {number} most
 * @returns {Message[]} newest first
 */
export function arrivedSince(messages, seq, most) {
  const arrived = [];
  for (let index = messages.length - 1; index >= 0 && arrived.length < most; index -= 1) {
    const message = messages.at(index);
    if (!message || (message.seq !== null && message.seq <= seq)) break;
    if (message.seq !== null && !message.own && message.kind !== 'deleted' && message.notice === null) arrived.push(message);
  }
  return arrived;
}

/**
 * What was written here and refused; it stands at the end.
 * @param {{ length: number, at: (index: number) => Message | undefined }} messages
 * @returns {Message[]} newest first
 */
export function refusedIn(messages) {
  const refused = [];
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const message = messages.at(index);
    if (!message || message.seq !== null) break;
    if (message.state === 'failed') refused.push(message);
  }
  return refused;
}

/**
 * The newest number that there is; 0 when there is none.
 * @param {{ length: number, at: (index: number) => Message | undefined }} messages
 */
export function newestSeq(messages) {
  for (let index = messages.length - 1; index >= 0; index -= 1) {
    const seq = messages.at(index)?.seq;
    if (seq !== null && seq !== undefined) return seq;
  }
  return 0;
}
