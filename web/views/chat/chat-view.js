/**
 * A conversation as a part of a page: heading, pinned, messages, composer. The same beside the call, beside the pre-join page and alone.
 * Waits for the store to know the conversation; puts the parts together and decides nothing else. Who is removed still sees what was there;
 * who comes back gets the conversation anew.
 */

/** @import { App } from '../page.js' */
/** @import { RoomWithMembers } from '../../api.js' */
/** @import { ConversationView } from '../../state/chat/interface.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { el, fill, listen } from '../../ui/dom.js';
import { iconButton, spinner } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';
import { Acts } from './acts.js';
import { announceMessages } from './announcements.js';
import { Composer } from './composer.js';
import { MessageList } from './message-list.js';
import { pinsBar } from './pins-bar.js';
import { searchPanel } from './search-panel.js';
import { typingLine } from './typing-line.js';

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {{ heading: Child, buttons: Child[], message?: string | null, write?: boolean }} options `heading` is what names it; `message` the one to begin at; `write` whether the page is for writing
 * @param {AbortSignal} signal
 * @returns {{ element: HTMLElement, focus: () => void }}
 */
export function chatView(app, room, { heading, buttons, message = null, write = false }, signal) {
  const body = el('div', { class: 'chat-body' }, spinner());
  /** @type {{ conversation: ConversationView, list: MessageList, composer: Composer, ending: AbortController } | null} */
  let parts = null;
  const search = searchPart(app, room.id, { jump: async (id, focus) => (await parts?.list.jumpTo(id, focus)) ?? false, mark: (text) => parts?.list.mark(text), close: () => parts?.composer.focus() }, signal);
  const header = el('header', { class: 'chat-header' }, heading, el('div', { class: 'chat-buttons' }, search.button, ...buttons));
  const element = el('section', { class: 'chat', 'aria-label': t('chat.title'), data: { chat: room.id } }, header, search.element, body);
  const start = () => {
    const conversation = app.chat.conversation(room.id);
    if (!conversation?.loaded || conversation === parts?.conversation) return;
    const again = parts !== null;
    parts?.ending.abort();
    parts = conversationParts(app, conversation, body, signal);
    if (again) return;
    if (message !== null) void jumpOrSay(parts.list, message);
    // With fingers the focus would bring up a keyboard that nobody asked for.
    else if (write && matchMedia('(hover: hover)').matches) requestAnimationFrame(() => signal.aborted || parts?.composer.focus());
  };
  listen(app.chat, 'change', start, signal);
  const conversation = app.chat.conversation(room.id);
  if (conversation) listen(conversation, 'change', start, signal);
  start();
  return { element, focus: () => parts?.composer.focus() };
}

/**
 * @param {App} app
 * @param {ConversationView} conversation
 * @param {HTMLElement} body
 * @param {AbortSignal} left
 */
function conversationParts(app, conversation, body, left) {
  const ending = new AbortController();
  const signal = AbortSignal.any([left, ending.signal]);
  const pins = pinsBar(conversation, (id) => void jumpOrSay(list, id), signal);
  /** @type {MessageList} */
  let list;
  /** @type {Composer} */
  let composer;
  const acts = new Acts(app, conversation, {
    reply: (message) => composer.reply(message),
    edit: (message) => composer.edit(message),
    toComposer: () => composer.focus(),
    jump: (id) => list.jumpTo(id),
    pinsChanged: pins.refresh,
  });
  // The list needs its place on the page to know its size.
  fill(body);
  list = new MessageList(conversation, acts, signal);
  composer = new Composer(app, conversation, { sent: () => list.toEnd(), toList: () => list.focus() }, signal);
  const empty = emptyNote(conversation, signal);
  body.append(pins.element, list.element, empty, typingLine(app, conversation, signal), composer.element);
  takeDrops(body, (files) => composer.attach(files), app.files !== null);
  announceMessages(conversation, signal);
  signal.addEventListener('abort', () => conversation.trim());
  return { conversation, list, composer, ending };
}

/**
 * @param {MessageList} list
 * @param {string} id
 */
async function jumpOrSay(list, id) {
  if (!(await list.jumpTo(id))) toast(t('chat.not_found'));
}

/**
 * @param {ConversationView} conversation
 * @param {AbortSignal} signal
 */
function emptyNote(conversation, signal) {
  const note = el('p', { class: 'chat-empty hint' }, t('chat.empty'));
  const draw = () => {
    note.hidden = conversation.length > 0 || conversation.hasMoreBefore;
  };
  listen(conversation, 'change', draw, signal);
  draw();
  return note;
}

/**
 * @param {App} app
 * @param {string} room
 * @param {{ jump: (id: string, focus: 'go' | 'stay') => Promise<boolean>, mark: (text: string) => void, close: () => void }} list
 * @param {AbortSignal} signal
 */
function searchPart(app, room, list, signal) {
  /** @param {string} id @param {'go' | 'stay'} focus */
  const open = async (id, focus) => {
    // What was found stays marked, and the panel makes room for it.
    if (focus === 'go' && matchMedia('(max-width: 760px)').matches) show(false);
    if (!(await list.jump(id, focus))) toast(t('chat.not_found'));
  };
  const panel = searchPanel(app, { room, open: ({ id }, focus) => void open(id, focus), searching: list.mark }, signal);
  panel.element.hidden = true;
  /** @param {boolean} shown */
  const show = (shown) => {
    panel.element.hidden = !shown;
    button.setAttribute('aria-expanded', String(shown));
  };
  /** @param {boolean} shown */
  const toggle = (shown) => {
    show(shown);
    if (shown) panel.focus();
    else {
      panel.clear();
      button.focus();
    }
  };
  const button = iconButton({ icon: 'search', label: t('chat.search'), action: 'search', click: () => toggle(panel.element.hidden) });
  button.setAttribute('aria-expanded', 'false');
  panel.element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    toggle(false);
    list.close();
  });
  return { element: panel.element, button };
}

/**
 * Files that are dropped on the conversation.
 * @param {HTMLElement} body
 * @param {(files: File[]) => void} take
 * @param {boolean} takesFiles
 */
function takeDrops(body, take, takesFiles) {
  if (!takesFiles) return;
  const hint = el('div', { class: 'drop-hint', 'aria-hidden': 'true' }, icon('attach'), t('chat.drop'));
  body.append(hint);
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') ?? false;
  body.addEventListener('dragover', (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    body.classList.add('dropping');
  });
  body.addEventListener('dragleave', (event) => {
    if (!body.contains(/** @type {Node | null} */ (event.relatedTarget))) body.classList.remove('dropping');
  });
  body.addEventListener('drop', (event) => {
    body.classList.remove('dropping');
    if (!hasFiles(event)) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
