/** The pinned messages of a conversation: the newest in a line under the heading, all of them in a dialog. */

/** @import { ConversationView } from '../../state/chat/interface.js' */

import { shortWhen, t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el, fill, listen } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { plainText } from './message-row.js';

/** Several changes come together; and looking through what is loaded is not for every message. */
const SETTLE_MS = 1_000;

/** @typedef {Awaited<ReturnType<ConversationView['pins']>>} Pins */

/**
 * @param {ConversationView} conversation
 * @param {(id: string) => void} jump
 * @param {AbortSignal} signal
 * @returns {{ element: HTMLElement, refresh: () => void }}
 */
export function pinsBar(conversation, jump, signal) {
  const element = el('div', { class: 'pins-bar', hidden: true });
  /** @type {Pins} */
  let pins = [];
  let shown = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const draw = () => {
    const [newest] = pins;
    element.hidden = newest === undefined;
    if (!newest) return fill(element);
    const name = conversation.nameOf(newest.message.sender) ?? t('chat.former_member');
    fill(
      element,
      icon('pin'),
      el('button', { class: 'pin-line', type: 'button', title: t('chat.jump'), data: { action: 'jump-to-pin' }, on: { click: () => jump(newest.message.id) } }, el('b', { dir: 'auto' }, name), el('span', { class: 'clipped', dir: 'auto' }, plainText(newest.message))),
      pins.length > 1 ? el('button', { class: 'link', type: 'button', data: { action: 'all-pins' }, on: { click: () => showAll(conversation, pins, jump) } }, t('chat.all_pins', { count: pins.length })) : null,
    );
  };
  const refresh = async () => {
    const now = await conversation.pins().catch(() => null);
    if (now === null || signal.aborted) return;
    pins = now;
    draw();
  };
  listen(
    conversation,
    'change',
    ({ detail }) => {
      if (detail?.reason === 'people') return draw();
      if (detail?.reason !== 'messages' && detail?.reason !== 'reset') return;
      timer ??= setTimeout(() => {
        timer = undefined;
        const pinned = pinnedIds(conversation);
        if (pinned !== shown) void refresh();
        shown = pinned;
      }, SETTLE_MS);
    },
    signal,
  );
  signal.addEventListener('abort', () => clearTimeout(timer));
  shown = pinnedIds(conversation);
  void refresh();
  return { element, refresh: () => void refresh() };
}

/** @param {ConversationView} conversation */
function pinnedIds(conversation) {
  const ids = [];
  for (let index = 0; index < conversation.length; index += 1) {
    const message = conversation.at(index);
    if (message?.pinned) ids.push(message.id);
  }
  return ids.join();
}

/**
 * @param {ConversationView} conversation
 * @param {Pins} pins
 * @param {(id: string) => void} jump
 */
function showAll(conversation, pins, jump) {
  const rows = pins.map(({ message }) => {
    const name = conversation.nameOf(message.sender) ?? t('chat.former_member');
    const click = () => {
      dialog.close();
      jump(message.id);
    };
    return el('li', {}, el('button', { class: 'found', type: 'button', on: { click } }, el('span', { class: 'found-head' }, el('b', { class: 'clipped', dir: 'auto' }, name), el('time', {}, shortWhen(message.sentAt, Date.now()))), el('span', { class: 'found-text', dir: 'auto' }, plainText(message))));
  });
  const dialog = openDialog({ title: t('chat.pinned_messages') }, el('ul', { class: 'found-list' }, ...rows));
}
