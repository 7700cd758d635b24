/**
 * Where a message is written. Enter sends, Shift+Enter breaks the line, ArrowUp in an empty field edits one's last message. What is typed
 * is kept as a draft; an edit is not, and gives the draft back when it ends. Where one may not write, the field can still be read and copied
 * from; in slow mode one goes on writing, and sends when it is time (an edit waits by itself).
 */

/** @import { App } from '../page.js' */
/** @import { ConversationView, Message } from '../../state/chat/interface.js' */

import { t } from '../../i18n/index.js';
import { announce } from '../../ui/announce.js';
import { el, fill } from '../../ui/dom.js';
import { iconButton } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { Attachments } from './attachments.js';
import { Completion } from './completion.js';
import { openEmojiPicker } from './emoji-picker.js';
import { plainText } from './message-row.js';
import { tellProblem } from './acts.js';
import { withEmoji } from './typed.js';
import { writingNote } from './writing-note.js';
import { isSilenced, writingText } from './writing-text.js';

/** A draft is kept so long after the last letter. */
const DRAFT_MS = 300;
/** How far back ArrowUp looks for something of one's own. */
const LOOK_BACK = 50;
const HIGHEST_PX = 200;
let lastId = 0;

export class Composer {
  #conversation;
  #field = el('textarea', { name: 'message', rows: '1', placeholder: t('chat.write'), 'aria-label': t('chat.message'), autocomplete: 'off', dir: 'auto', enterkeyhint: 'send' });
  #send = el('button', { class: 'icon-button send', type: 'submit', title: t('chat.send'), 'aria-label': t('chat.send'), data: { action: 'send' } }, icon('send'));
  #bar = el('div', { class: 'composer-bar', hidden: true });
  #completion;
  /** @type {Attachments | null} */
  #attachments = null;
  /** @type {string | null} */
  #replyTo = null;
  /** @type {Message | null} */
  #editing = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #draftTimer;
  #sent;
  #silenced = false;
  /** What makes no sense where one may not write. @type {HTMLButtonElement[]} */
  #tools = [];
  element;

  /**
   * @param {App} app
   * @param {ConversationView} conversation
   * @param {{ sent: () => void, toList: () => void }} around
   * @param {AbortSignal} signal
   */
  constructor(app, conversation, around, signal) {
    this.#conversation = conversation;
    this.#sent = around.sent;
    lastId += 1;
    const noteId = `writing-${lastId}`;
    this.#completion = new Completion(this.#field, () => conversation.members, app.session.user?.username ?? '', `completion-${lastId}`);
    if (app.files) this.#attachments = new Attachments(app.files, conversation, () => this.#changed(), signal);
    const row = this.#row();
    const note = writingNote(conversation, noteId, () => this.#writingChanged(), signal);
    this.#field.setAttribute('aria-describedby', noteId);
    this.element = el('form', { class: 'composer', novalidate: true }, this.#completion.element, note, this.#bar, this.#attachments?.element, row);
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#submit();
    });
    this.#listen(around.toList, signal);
    this.#restore();
  }

  focus() {
    this.#field.focus();
  }

  /** @param {Message} message */
  reply(message) {
    if (this.#editing) this.#endEdit();
    this.#replyTo = message.id;
    this.#drawBar();
    this.#keepDraft();
    this.focus();
  }

  /** @param {Message} message */
  edit(message) {
    if (!this.#editing) this.#flushDraft();
    this.#editing = message;
    this.#field.value = message.text;
    this.#drawBar();
    this.#changed();
    this.focus();
    this.#field.setSelectionRange(message.text.length, message.text.length);
    announce(t('chat.editing'));
  }

  /** @param {Iterable<File>} files */
  attach(files) {
    if (this.#silenced) return this.#sayWhyNot();
    this.#attachments?.add(files);
    this.focus();
  }

  #row() {
    const file = el('input', { class: 'visually-hidden', type: 'file', multiple: true, tabindex: '-1', 'aria-hidden': 'true' });
    file.addEventListener('change', () => {
      this.attach(file.files ?? []);
      file.value = '';
    });
    const attach = this.#attachments ? iconButton({ icon: 'attach', label: t('chat.attach'), action: 'attach', click: () => file.click() }) : null;
    const emoji = iconButton({ icon: 'smile', label: t('chat.emoji'), action: 'emoji', click: () => this.#pickEmoji(emoji) });
    this.#tools = attach ? [attach, emoji] : [emoji];
    return el('div', { class: 'composer-row' }, this.#attachments ? file : null, attach, el('div', { class: 'composer-field' }, this.#field, emoji), this.#send);
  }

  /**
   * @param {() => void} toList
   * @param {AbortSignal} signal
   */
  #listen(toList, signal) {
    const field = this.#field;
    field.addEventListener('input', () => {
      this.#completion.follow();
      this.#changed();
      if (this.#editing) return;
      // What was emptied was meant to go: it is not to come back with the next page.
      if (field.value === '') return this.#flushDraft();
      this.#conversation.typing();
      this.#keepDraft();
    });
    field.addEventListener('keydown', (event) => this.#key(event, toList));
    field.addEventListener('blur', () => this.#completion.close());
    field.addEventListener('click', () => this.#completion.follow());
    field.addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || !this.#attachments) return;
      event.preventDefault();
      this.attach(files);
    });
    window.addEventListener('pagehide', () => this.#flushDraft(), { signal });
    signal.addEventListener('abort', () => this.#flushDraft());
  }

  /**
   * @param {KeyboardEvent} event
   * @param {() => void} toList
   */
  #key(event, toList) {
    // While a syllable is being put together, Enter takes it.
    if (event.isComposing || this.#completion.key(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.altKey && !event.metaKey) this.element.requestSubmit();
    else if (event.key === 'Escape' && (this.#editing || this.#replyTo)) {
      event.stopPropagation();
      this.#cancel();
    } else if (event.key === 'ArrowUp' && this.#field.value === '' && !this.#editing && !this.#silenced) this.#editLast();
    else if (event.key === 'PageUp' && this.#field.value === '') toList();
    else return;
    event.preventDefault();
  }

  #editLast() {
    const { length } = this.#conversation;
    for (let index = length - 1; index >= Math.max(0, length - LOOK_BACK); index -= 1) {
      const message = this.#conversation.at(index);
      if (message?.own && message.state === 'sent' && message.kind === 'text' && message.text !== '') return this.edit(message);
    }
  }

  async #submit() {
    const text = withEmoji(this.#field.value.trim());
    const editing = this.#editing;
    if (!this.#maySend()) return this.#sayWhyNot();
    if (editing) {
      this.#endEdit();
      if (text !== editing.text) await this.#conversation.edit(editing.id, text).catch(tellProblem);
      return;
    }
    const [replyTo, taken] = [this.#replyTo, this.#attachments?.take() ?? { files: [], uploads: [] }];
    this.#set('', null);
    try {
      await this.#conversation.send({ text, replyTo, ...taken });
      this.#sent();
    } catch (error) {
      // Nothing that was written is lost, whatever was wrong with it.
      this.#set(this.#field.value === '' ? text : `${text}\n${this.#field.value}`, replyTo);
      this.#attachments?.giveBack(taken);
      tellProblem(error);
    }
    this.#flushDraft();
  }

  #maySend() {
    return this.#hasSomething() && !this.#silenced && (this.#editing !== null || (this.#conversation.writing.state === 'open' && (this.#attachments?.ready ?? true)));
  }

  #hasSomething() {
    const files = this.#attachments?.count ?? 0;
    return this.#field.value.trim() !== '' || (files > 0 && !this.#editing);
  }

  /** Enter on something that cannot go now. */
  #sayWhyNot() {
    const { writing } = this.#conversation;
    if (this.#hasSomething() && writing.state !== 'open') announce(writingText(writing, Date.now()));
  }

  #writingChanged() {
    this.#silenced = isSilenced(this.#conversation.writing);
    this.#field.readOnly = this.#silenced;
    for (const tool of this.#tools) tool.disabled = this.#silenced;
    this.#changed();
  }

  /**
   * @param {string} text
   * @param {string | null} replyTo
   */
  #set(text, replyTo) {
    this.#field.value = text;
    this.#replyTo = replyTo;
    this.#completion.close();
    this.#drawBar();
    this.#changed();
  }

  #cancel() {
    if (this.#editing) return this.#endEdit();
    this.#replyTo = null;
    this.#drawBar();
    this.#keepDraft();
    this.focus();
  }

  #endEdit() {
    this.#editing = null;
    this.#restore();
    this.focus();
  }

  #restore() {
    const { text, replyTo } = this.#conversation.draft;
    this.#set(text, replyTo);
  }

  #keepDraft() {
    clearTimeout(this.#draftTimer);
    this.#conversation.readyDraft({ text: this.#field.value, replyTo: this.#replyTo });
    this.#draftTimer = setTimeout(() => this.#flushDraft(), DRAFT_MS);
  }

  #flushDraft() {
    clearTimeout(this.#draftTimer);
    const { draft } = this.#conversation;
    const [text, replyTo] = [this.#field.value, this.#replyTo];
    if (this.#editing || (draft.text === text && draft.replyTo === replyTo)) return;
    this.#conversation.setDraft({ text, replyTo });
  }

  /** @param {HTMLElement} button */
  #pickEmoji(button) {
    openEmojiPicker(button.getBoundingClientRect(), t('chat.emoji'), (emoji) => {
      const { selectionStart, selectionEnd } = this.#field;
      this.#field.setRangeText(emoji, selectionStart, selectionEnd, 'end');
      this.focus();
      this.#field.dispatchEvent(new Event('input', { bubbles: true }));
    });
  }

  /** The field is as high as its text, within bounds; the button says whether something can be sent. */
  #changed() {
    this.#field.style.height = 'auto';
    if (this.#field.scrollHeight > 0) this.#field.style.height = `${Math.min(HIGHEST_PX, this.#field.scrollHeight + 2)}px`;
    this.#send.disabled = !this.#maySend();
  }

  #drawBar() {
    const answered = this.#replyTo === null ? null : (this.#conversation.find(this.#replyTo) ?? null);
    this.#bar.hidden = this.#editing === null && this.#replyTo === null;
    if (this.#bar.hidden) return fill(this.#bar);
    const name = answered ? (this.#conversation.nameOf(answered.sender) ?? t('chat.former_member')) : '';
    const title = this.#editing ? t('chat.editing') : t('chat.replying', { name });
    const shown = this.#editing ?? answered;
    fill(
      this.#bar,
      icon(this.#editing ? 'edit' : 'reply'),
      el('span', { class: 'file-text' }, el('b', {}, title), el('span', { class: 'hint clipped', dir: 'auto' }, shown ? plainText(shown) : t('chat.earlier_message'))),
      iconButton({ icon: 'close', label: t('common.cancel'), action: 'cancel-bar', class: 'small', click: () => this.#cancel() }),
    );
  }
}
