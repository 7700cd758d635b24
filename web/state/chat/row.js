/** How a conversation stands in the list. Pure. */

/** @import { Room } from '../../api.js' */
/** @import { ConversationRow, Person } from './interface.js' */
/** @import { Stretch } from './stretch.js' */
/** @import { Timeline } from './timeline.js' */

/** Beyond this "99+" is shown anyway; counting is done with every message. */
export const MAX_COUNTED = 1_000;
/** Enough for one line. */
const PREVIEW_LENGTH = 200;

/**
 * @typedef {object} Facts
 * @property {Room} room
 * @property {string} me
 * @property {Timeline} timeline
 * @property {Pick<Stretch, 'low' | 'high' | 'firstSeq' | 'toldLastSeq'>} stretch
 * @property {number} readSeq
 * @property {string} draft
 * @property {(user: string) => string | null} nameOf
 */

/** @param {Facts} facts @returns {ConversationRow} */
export function rowOf({ room, me, timeline, stretch, readSeq, draft, nameOf }) {
  const { low, high, firstSeq, toldLastSeq } = stretch;
  const others = room.people.filter(({ user }) => user !== me);
  const { unread, mentions } = timeline.countAfter(readSeq, MAX_COUNTED);
  // What is not loaded can only be bounded: it may be nothing but reactions.
  const unseen = Math.max(0, toldLastSeq - Math.max(high, readSeq));
  const last = lastOf(timeline, nameOf);
  return {
    id: room.id,
    kind: room.kind,
    title: room.kind === 'direct' ? titleOf(others, room.people) : room.name,
    others,
    // A list that an older version kept has no topics.
    topic: room.topic ?? '',
    inCall: room.in_call,
    unread: unread + unseen,
    unreadAtLeast: high > 0 && low > Math.max(readSeq + 1, firstSeq),
    mentions,
    last,
    draft: draft.slice(0, PREVIEW_LENGTH),
    failed: failedIn(timeline),
    lastAt: Math.max(last?.at ?? 0, room.last_entry?.sent_at ?? 0, room.created_at),
  };
}

/** @param {readonly Person[]} others @param {readonly Person[]} all */
function titleOf(others, all) {
  return (others.length > 0 ? others : all).map(({ username }) => username).join(', ');
}

/** @param {Timeline} timeline @param {Facts['nameOf']} nameOf @returns {ConversationRow['last']} */
function lastOf(timeline, nameOf) {
  const message = timeline.at(timeline.length - 1);
  if (!message) return null;
  const { sender, own, kind, notice, text, files, sentAt } = message;
  return { senderName: nameOf(sender), own, kind, notice, text: text.slice(0, PREVIEW_LENGTH), files: files.length, at: sentAt };
}

/** They stand at the end. @param {Timeline} timeline */
function failedIn(timeline) {
  let failed = 0;
  for (let index = timeline.length - 1; index >= 0; index -= 1) {
    const message = timeline.at(index);
    if (message?.seq !== null) break;
    if (message.state === 'failed') failed += 1;
  }
  return failed;
}
