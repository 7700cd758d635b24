/** From what a push carries to the message in it, with what is kept for it. Everything that is not exactly as it should be gives null: there is a message, and no more is said. */

/** @import { OpenedNotice, Payload } from './interface.js' */
/** @import { NoticeKeep } from './kept.js' */

import { openEnvelope, parseEnvelope } from './envelope.js';

/**
 * @param {Payload} payload
 * @param {Pick<NoticeKeep, 'find'>} keep
 * @returns {Promise<OpenedNotice | null>}
 */
export async function openNotice({ room, message }, keep) {
  const envelope = message && parseEnvelope(message);
  if (!envelope || envelope.room !== room) return null;
  const kept = await keep.find(room);
  const opened = kept && (await openEnvelope(envelope, kept.opening));
  if (!opened) return null;
  const { title, people } = kept.names;
  return { room, title, sender: people[opened.user] ?? null, kind: opened.kind, content: opened.content };
}
