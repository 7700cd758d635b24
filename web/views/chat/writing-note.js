/**
 * The line over the field that says why one cannot write, or when one can again. It counts down for the eyes; to screen readers it says a
 * change once, never each second.
 */

/** @import { ConversationView, Writing } from '../../state/chat/interface.js' */

import { t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill, listen } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { nextChangeMs, writingText } from './writing-text.js';

/**
 * @param {ConversationView} conversation
 * @param {string} id of the line in the page
 * @param {(writing: Writing) => void} changed what may be written is another now
 * @param {AbortSignal} signal
 */
export function writingNote(conversation, id, changed, signal) {
  const text = el('span', {});
  const note = el('p', { class: 'writing-note', id, hidden: true });
  /** @type {Writing['state'] | null} */
  let shown = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const draw = () => {
    clearTimeout(timer);
    const { writing } = conversation;
    const said = writingText(writing, Date.now());
    if (text.textContent !== said) text.textContent = said;
    note.hidden = said === '';
    if (writing.untilMs !== null) timer = setTimeout(draw, nextChangeMs(writing.untilMs - Date.now()));
    if (writing.state === shown) return;
    note.dataset['state'] = writing.state;
    fill(note, icon(ICONS[writing.state]), text);
    // What it is like at the beginning is read with the field.
    if (shown !== null) announce(writing.state === 'open' ? t('chat.may_write') : said);
    shown = writing.state;
    changed(writing);
  };
  listen(conversation, 'change', ({ detail }) => ['row', 'messages', 'reset'].includes(detail?.reason) && draw(), signal);
  signal.addEventListener('abort', () => clearTimeout(timer));
  draw();
  return note;
}

const ICONS = /** @type {const} */ ({ open: 'clock', slow: 'clock', room_locked: 'lock', chat_muted: 'ban', no_member: 'exit' });
