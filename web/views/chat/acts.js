/** What can be done with a message, and who may: the menu, and each of its acts. */

/** @import { App } from '../page.js' */
/** @import { ConversationView, Message } from '../../state/chat/interface.js' */
/** @import { IconName } from '../../ui/icons.js' */

import { errorText, moment, t } from '../../i18n/index.js';
import { confirmFirst, openDialog } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { openMenu } from '../../ui/menu.js';
import { toast } from '../../ui/toast.js';
import { attempt } from '../room-acts.js';
import { openEmojiPicker } from './emoji-picker.js';
import { isSilenced, writingText } from './writing-text.js';

/** @typedef {{ icon: IconName, label: string, action: string, click: () => void }} Item */
/**
 * @typedef {object} Surroundings what acts do to the rest of the conversation
 * @property {(message: Message) => void} reply
 * @property {(message: Message) => void} edit
 * @property {() => void} toComposer
 * @property {(id: string) => Promise<boolean>} jump
 * @property {() => void} pinsChanged
 */

export class Acts {
  #app;
  #conversation;
  #around;

  /**
   * @param {App} app
   * @param {ConversationView} conversation
   * @param {Surroundings} around
   */
  constructor(app, conversation, around) {
    this.#app = app;
    this.#conversation = conversation;
    this.#around = around;
  }

  toComposer() {
    this.#around.toComposer();
  }

  /**
   * @param {string} action
   * @param {Message} message
   * @param {HTMLElement} button what was pressed, or the message's row
   */
  perform(action, message, button) {
    const { id } = message;
    const conversation = this.#conversation;
    /** @type {Record<string, () => unknown>} */
    const acts = {
      'message-menu': () => openMenu(button.getBoundingClientRect(), t('chat.message_menu'), this.#items(message, button)),
      'message-react': () => this.#ifMayWrite(() => this.#pickReaction(message, button)),
      'message-reply': () => this.#ifMayWrite(() => this.#around.reply(message)),
      'message-history': () => showHistory(message),
      'message-remove': () => this.#mayRemove(message) && void this.#remove(message),
      react: () => this.#ifMayWrite(() => this.#react(message, button.dataset['emoji'] ?? '')),
      jump: () => void this.#jump(button.dataset['target'] ?? ''),
      download: () => void this.#download(message, button.dataset['file'] ?? ''),
      retry: () => attempt(() => conversation.retry(id)),
      discard: () => attempt(() => conversation.discard(id)),
    };
    acts[action]?.();
  }

  /**
   * @param {Message} message
   * @param {HTMLElement} button
   * @returns {Item[]}
   */
  #items(message, button) {
    /** @param {IconName} icon @param {string} label @param {string} action @param {() => void} click @param {boolean} when */
    const item = (icon, label, action, click, when) => (when ? [{ icon, label, action, click }] : []);
    const sent = message.state === 'sent' && message.kind === 'text';
    const may = sent && !isSilenced(this.#conversation.writing);
    const copyable = message.kind === 'text' && message.text !== '';
    const items = [
      ...item('reply', t('chat.reply'), 'message-reply', () => this.#around.reply(message), may),
      ...item('smile', t('chat.react'), 'message-react', () => this.#pickReaction(message, button), may),
      ...item('edit', t('chat.edit'), 'message-edit', () => this.#around.edit(message), may && message.own && message.text !== ''),
      ...item('copy', t('chat.copy'), 'message-copy', () => void copyText(message.text), copyable),
      ...item('pin', t(message.pinned ? 'chat.unpin' : 'chat.pin'), 'message-pin', () => void this.#pin(message), sent && this.#mayPin()),
      ...item('clock', t('chat.history'), 'message-history', () => showHistory(message), message.edited.length > 0),
      ...item('bin', t('chat.delete'), 'message-remove', () => void this.#remove(message), this.#mayRemove(message)),
    ];
    if (message.state === 'waiting') items.push(...item('close', t('chat.discard'), 'discard', () => this.perform('discard', message, button), true));
    if (message.state === 'failed' || message.editState === 'failed') {
      items.push(...item('retry', t('common.retry'), 'retry', () => this.perform('retry', message, button), true), ...item('close', t('chat.discard'), 'discard', () => this.perform('discard', message, button), true));
    }
    return items.length > 0 ? items : [{ icon: 'close', label: t('common.close'), action: 'close-menu', click: () => {} }];
  }

  /** Where one may not write, one cannot answer or react either: said instead of a refusal later. @param {() => void} act */
  #ifMayWrite(act) {
    const { writing } = this.#conversation;
    if (isSilenced(writing)) toast(writingText(writing, Date.now()));
    else act();
  }

  #mayPin() {
    return this.#conversation.role !== 'member' || this.#conversation.row.kind === 'direct';
  }

  /** @param {Message} message */
  #mayRemove(message) {
    return message.state === 'sent' && message.kind !== 'deleted' && message.notice === null && (message.own || this.#conversation.role !== 'member');
  }

  /** @param {Message} message */
  async #remove(message) {
    const agreed = await confirmFirst({ title: t('chat.delete_title'), text: t('chat.delete_text'), action: t('chat.delete') });
    if (agreed) await attempt(() => this.#conversation.remove(message.id));
  }

  /** @param {Message} message */
  async #pin(message) {
    const done = await attempt(() => (message.pinned ? this.#conversation.unpin(message.id) : this.#conversation.pin(message.id)));
    if (done) this.#around.pinsChanged();
  }

  /**
   * @param {Message} message
   * @param {string} emoji
   */
  #react(message, emoji) {
    const own = message.reactions.some((one) => one.emoji === emoji && one.own);
    void attempt(() => this.#conversation.react(message.id, emoji, !own));
  }

  /**
   * @param {Message} message
   * @param {HTMLElement} button
   */
  #pickReaction(message, button) {
    openEmojiPicker(button.getBoundingClientRect(), t('chat.react'), (emoji) => this.#react(message, emoji));
  }

  /** @param {string} id */
  async #jump(id) {
    if (!(await this.#around.jump(id))) toast(t('chat.not_found'));
  }

  /**
   * @param {Message} message
   * @param {string} id
   */
  async #download(message, id) {
    const file = message.files.find((one) => one.id === id);
    const { files } = this.#app;
    if (!file || !files) return;
    if (this.#conversation.encrypted && file.sealed === undefined) return toast(t('error.file_not_sealed'), 'problem');
    await attempt(() => files.download(file));
  }
}

/** @param {string} text */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(t('chat.copied'));
  } catch {
    // Without https the browser refuses: marked text can be copied by hand.
    const area = el('textarea', { class: 'copyable', readonly: true, rows: '6', 'aria-label': t('chat.message') });
    area.value = text;
    openDialog({ title: t('chat.copy'), class: 'narrow' }, area);
    area.select();
  }
}

/** @param {Message} message */
function showHistory(message) {
  const versions = [...message.edited, { text: message.text, at: null }];
  openDialog(
    { title: t('chat.history') },
    el('ol', { class: 'history' }, ...versions.map(({ text, at }) => el('li', {}, el('p', { class: 'hint' }, at === null ? t('chat.now') : moment(at)), el('div', { class: 'message-text', dir: 'auto' }, text)))),
  );
}

/** @param {unknown} error */
export function tellProblem(error) {
  toast(errorText(error), 'problem');
}
