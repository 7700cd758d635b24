/** What a notice of a new message says, in the language that is set: who wrote and what, where the message could be opened and is a text; else that there is one. Pure. */

/** @import { OpenedNotice } from '../e2ee/push/interface.js' */

import { t } from '../i18n/index.js';
import { parseBody } from '../state/chat/body.js';

/** Messages of this client (`state/keys/room-messages.js`). */
const KIND_BODY = 1;
/** What systems show of a notice; the rest is read in the conversation. */
const MAX_LETTERS = 200;

/** @typedef {{ title: string, body: string }} NoticeText */

/** @returns {NoticeText} */
export function anyNotice() {
  return { title: t('notice.title'), body: t('notice.message') };
}

/** @param {OpenedNotice} opened @returns {NoticeText} */
export function noticeOf({ title, sender, kind, content }) {
  const text = kind === KIND_BODY ? textOf(content) : null;
  // Of whom the name is not known here, nothing is quoted: a notice names who speaks.
  if (text === null || sender === null) return anyNotice();
  return title === null ? { title: sender, body: text } : { title, body: `${sender}: ${text}` };
}

/** @param {Uint8Array} content @returns {string | null} */
function textOf(content) {
  const body = parseBody(new TextDecoder().decode(content));
  if (body.type !== 'text') return null;
  const said = body.text.trim() || body.files.map(({ name }) => name).join(', ');
  const letters = [...said];
  return letters.length > MAX_LETTERS ? `${letters.slice(0, MAX_LETTERS).join('')}…` : said;
}
