/** One message as it is shown. Everything in it is text; what can be done with it is delegated to the list by `data-action`. */

/** @import { ConversationView, FileInfo, Message, Reaction } from '../../state/chat/interface.js' */
/** @import { RowFacts } from './row-facts.js' */

import { clock, dayName, errorText, fileSize, moment, t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { linked } from '../../ui/links.js';
import { avatar } from '../avatar.js';
import { splitMarked } from './found.js';
import { excerpt, splitMentions } from './row-facts.js';

/** Nobody needs more of a name under a reaction. */
const NAMES_SHOWN = 12;
const THUMBNAIL_PX = 280;

/**
 * @param {ConversationView} conversation
 * @param {Message} message
 * @param {RowFacts} facts
 * @param {number} nowMs
 * @param {string} searched words to mark in it; empty: none
 * @returns {HTMLElement}
 */
export function messageRow(conversation, message, facts, nowMs, searched) {
  const name = nameOf(conversation, message);
  const article = el(
    'article',
    {
      class: `message ${facts.grouped ? 'grouped' : ''} ${message.mentionsMe ? 'mentions-me' : ''}`,
      tabindex: '-1',
      'aria-label': spoken(message, name),
      data: { message: message.id, state: message.state, own: String(message.own) },
    },
    facts.grouped || name === null ? el('span', { class: 'message-side', 'aria-hidden': 'true' }, clock(message.sentAt)) : avatar(conversation.nameOf(message.sender) ?? '?'),
    el(
      'div',
      { class: 'message-content' },
      message.mark === null ? null : el('p', { class: 'hint with-icon' }, icon('warning'), el('span', {}, t(`e2ee.mark_${message.mark}`))),
      facts.grouped || name === null ? null : el('div', { class: 'message-head' }, el('b', { class: 'clipped', dir: 'auto' }, name), el('time', { datetime: new Date(message.sentAt).toISOString(), title: moment(message.sentAt) }, clock(message.sentAt)), message.pinned ? pinMark() : null),
      message.replyTo === null ? null : quote(conversation, message.replyTo),
      ...content(conversation, message, searched),
      reactions(conversation, message),
      stateLine(message),
    ),
  );
  return el(
    'div',
    { class: 'message-row' },
    facts.day ? el('div', { class: 'day' }, el('span', {}, dayName(message.sentAt, nowMs))) : null,
    facts.unreadLine ? el('div', { class: 'unread-line' }, el('span', {}, t('chat.new_from_here'))) : null,
    article,
  );
}

/**
 * Who wrote it; null: nobody is said to have.
 * @param {ConversationView} conversation
 * @param {Message} message
 */
function nameOf(conversation, { sender, notice }) {
  return notice === null ? (conversation.nameOf(sender) ?? t('chat.former_member')) : null;
}

/**
 * What is read aloud when the row has the focus.
 * @param {Message} message
 * @param {string | null} name
 */
function spoken(message, name) {
  const parts = [message.mark === null ? '' : t(`e2ee.mark_${message.mark}`), name, clock(message.sentAt), plainText(message)];
  if (message.edited.length > 0) parts.push(t('chat.edited'));
  if (message.state !== 'sent') parts.push(t(`chat.state_${message.state}`));
  return parts.filter(Boolean).join(', ');
}

/**
 * A message in one line of text.
 * @param {Pick<Message, 'kind' | 'notice' | 'text' | 'files'>} message
 */
export function plainText({ kind, notice, text, files }) {
  if (kind === 'deleted') return t('chat.deleted');
  if (kind === 'unknown') return notice === null ? t('chat.unknown') : t(`e2ee.notice_${notice}`);
  return excerpt(text) || files.map(({ name }) => name).join(', ');
}

function pinMark() {
  return el('span', { class: 'pin-mark', title: t('chat.pinned') }, icon('pin'), el('span', { class: 'visually-hidden' }, t('chat.pinned')));
}

/**
 * @param {ConversationView} conversation
 * @param {Message} message
 * @param {string} searched
 */
function content(conversation, message, searched) {
  if (message.kind !== 'text') return [el('p', { class: 'message-gone' }, plainText(message))];
  const edited = message.edited.length > 0 ? el('button', { class: 'edited', type: 'button', title: t('chat.history'), data: { action: 'message-history' } }, t('chat.edited')) : null;
  return [
    message.text === '' ? null : el('div', { class: 'message-text', dir: 'auto' }, ...textPieces(conversation, message, searched), edited ? ' ' : null, edited),
    message.files.length === 0 ? null : el('div', { class: 'message-files' }, ...message.files.map((file) => (message.state === 'sent' ? fileCard(file) : waitingCard(file)))),
  ];
}

/**
 * @param {ConversationView} conversation
 * @param {Message} message
 * @param {string} searched
 * @returns {(Node | string)[]}
 */
function textPieces(conversation, message, searched) {
  const names = new Set(message.mentions.flatMap((user) => conversation.nameOf(user)?.toLowerCase() ?? []));
  /** @param {string} plain @returns {(Node | string)[]} */
  const marks = (plain) => (searched === '' ? [plain] : splitMarked(plain, searched).map(({ text, found }) => (found ? el('mark', {}, text) : text)));
  /** @param {string} plain @returns {(Node | string)[]} */
  const mentions = (plain) => splitMentions(plain, names).flatMap(({ text, mention }) => (mention === null ? marks(text) : [el('span', { class: 'mention' }, text)]));
  return linked(message.text).flatMap((piece) => (typeof piece === 'string' ? mentions(piece) : [piece]));
}

/**
 * @param {ConversationView} conversation
 * @param {string} id
 */
function quote(conversation, id) {
  const target = conversation.find(id);
  const name = target && nameOf(conversation, target);
  return el(
    'button',
    { class: 'quote', type: 'button', data: { action: 'jump', target: id }, title: t('chat.jump') },
    name ? el('b', { dir: 'auto' }, name) : null,
    el('span', { class: 'clipped', dir: 'auto' }, target ? plainText(target) : t('chat.earlier_message')),
  );
}

/** A file that is still here: there is nothing to download. @param {FileInfo} file */
function waitingCard(file) {
  return el('div', { class: `file-card still-here ${file.thumbnail ? 'with-picture' : ''}` }, ...cardParts(file));
}

/** @param {FileInfo} file */
function fileCard(file) {
  const [picture, text] = cardParts(file);
  return el(
    'button',
    { class: `file-card ${file.thumbnail ? 'with-picture' : ''}`, type: 'button', title: t('chat.download'), data: { action: 'download', file: file.id } },
    picture,
    el('span', { class: 'visually-hidden' }, `${t('chat.download')}: `),
    text,
  );
}

/** @param {FileInfo} file @returns {[Element, Element]} */
function cardParts(file) {
  const picture = file.thumbnail ? el('img', { class: 'thumbnail', src: file.thumbnail, alt: '', decoding: 'async' }) : null;
  if (picture && file.width && file.height) {
    // Its place is kept before it is drawn: what is below does not jump.
    const scale = Math.min(1, THUMBNAIL_PX / Math.max(file.width, file.height));
    picture.width = Math.max(24, Math.round(file.width * scale));
    picture.height = Math.max(24, Math.round(file.height * scale));
  }
  return [picture ?? icon('file'), el('span', { class: 'file-text' }, el('bdi', { class: 'clipped' }, file.name), el('span', { class: 'hint' }, fileSize(file.size)))];
}

/**
 * @param {ConversationView} conversation
 * @param {Message} message
 */
function reactions(conversation, message) {
  if (message.reactions.length === 0) return null;
  return el('div', { class: 'reactions' }, ...message.reactions.map((one) => reaction(conversation, one)));
}

/**
 * @param {ConversationView} conversation
 * @param {Reaction} one
 */
function reaction(conversation, { emoji, users, own }) {
  const known = users.slice(0, NAMES_SHOWN).map((user) => conversation.nameOf(user) ?? t('chat.former_member'));
  const names = users.length > NAMES_SHOWN ? `${known.join(', ')}…` : known.join(', ');
  return el(
    'button',
    { class: 'reaction', type: 'button', title: names, 'aria-pressed': String(own), 'aria-label': `${emoji} ${users.length}: ${names}`, data: { action: 'react', emoji } },
    el('span', { 'aria-hidden': 'true' }, emoji),
    el('span', { 'aria-hidden': 'true' }, String(users.length)),
  );
}

/** @param {Message} message */
function stateLine(message) {
  const { state, editState, progress, failedFile } = message;
  if (state === 'waiting' || editState === 'waiting') return waitingLine(progress);
  if (state !== 'failed' && editState !== 'failed') return null;
  const reason = message.code === null ? t('chat.state_failed') : errorText({ code: message.code });
  return el(
    'p',
    { class: 'message-state failed' },
    icon('warning'),
    el('span', {}, failedFile === null ? null : el('bdi', {}, `${failedFile}: `), reason),
    el('button', { class: 'link', type: 'button', data: { action: 'retry' } }, t('common.retry')),
    el('button', { class: 'link', type: 'button', data: { action: 'discard' } }, t('chat.discard')),
  );
}

/** What waits, and of its files how much is sent. @param {number | null} progress */
function waitingLine(progress) {
  if (progress === null) return el('p', { class: 'message-state' }, icon('clock'), t('chat.state_waiting'));
  const percent = Math.floor(progress * 100);
  return el(
    'p',
    { class: 'message-state' },
    icon('clock'),
    progress > 0 ? t('chat.uploading') : t('chat.state_waiting'),
    el('progress', { max: '100', value: String(percent), 'aria-label': t('chat.uploading') }),
    el('button', { class: 'link', type: 'button', data: { action: 'discard' } }, t('chat.discard')),
  );
}
