/** The number of unread messages of one conversation, on the button that opens it. */

/** @import { App } from '../page.js' */

import { t } from '../../i18n/index.js';
import { el, fill, listen } from '../../ui/dom.js';

const MOST_SHOWN = 99;

/**
 * @param {App} app
 * @param {string} room
 * @param {AbortSignal} signal
 */
export function unreadMark(app, room, signal) {
  const mark = el('span', { class: 'count unread-mark' });
  const draw = () => {
    const unread = app.chat.conversation(room)?.row.unread ?? 0;
    mark.dataset['unread'] = String(unread);
    if (unread === 0) return fill(mark);
    fill(mark, el('span', { 'aria-hidden': 'true' }, unread > MOST_SHOWN ? `${MOST_SHOWN}+` : String(unread)), el('span', { class: 'visually-hidden' }, t('chat.unread', { count: unread })));
  };
  listen(app.chat, 'change', draw, signal);
  draw();
  return mark;
}
