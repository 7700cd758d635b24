/** The conversation beside the call, opened and closed by the control under the stage. */

/** @import { App } from '../page.js' */
/** @import { RoomWithMembers } from '../../api.js' */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';
import { chatView } from './chat-view.js';

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {() => void} close
 * @param {AbortSignal} signal
 */
export function chatPanel(app, room, close, signal) {
  const title = el('h2', { tabindex: '-1' }, t('chat.title'));
  const button = iconButton({ icon: 'close', label: t('common.close'), action: 'close-chat', click: close });
  const chat = chatView(app, room, { heading: title, buttons: [button] }, signal);
  return el('aside', { class: 'panel chat-panel', id: 'call-chat', 'aria-label': t('chat.title'), hidden: true }, chat.element);
}
