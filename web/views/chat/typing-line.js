/** Who is writing, whether what one writes oneself waits, who has seen what one wrote last: one line over the composer that is always there, so that nothing jumps. */

/** @import { App } from '../page.js' */
/** @import { ConversationView } from '../../state/chat/interface.js' */

import { t } from '../../i18n/index.js';
import { el, listen } from '../../ui/dom.js';

/**
 * @param {App} app
 * @param {ConversationView} conversation
 * @param {AbortSignal} signal
 */
export function typingLine(app, conversation, signal) {
  // Not a live region: that people write is for looking at, not for being read aloud all the time.
  const line = el('p', { class: 'typing-line' });
  const draw = () => {
    const names = conversation.typingUsers.map((user) => conversation.nameOf(user)).filter((name) => name !== null);
    const text = names.length > 0 ? typing(names) : app.chat.status === 'offline' ? t('chat.offline') : seen(conversation);
    if (line.textContent !== text) line.textContent = text;
    line.dataset['state'] = names.length > 0 ? 'typing' : app.chat.status;
  };
  listen(conversation, 'change', ({ detail }) => ['typing', 'people', 'messages', 'reset'].includes(detail?.reason) && draw(), signal);
  listen(app.chat, 'status', draw, signal);
  draw();
  return line;
}

/** Of two, everybody knows who it was. @param {ConversationView} conversation */
function seen(conversation) {
  const { seenBy, members } = conversation;
  if (seenBy.length === 0) return '';
  return members.length <= 2 ? t('chat.seen') : t('chat.seen_by', { names: seenBy.map((user) => conversation.nameOf(user)).filter((name) => name !== null).join(', ') });
}

/** @param {string[]} names */
function typing(names) {
  const [name = '', other = ''] = names;
  if (names.length === 1) return t('chat.typing_one', { name });
  if (names.length === 2) return t('chat.typing_two', { name, other });
  return t('chat.typing_many', { count: names.length });
}
