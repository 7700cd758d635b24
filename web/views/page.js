/** What every page is, and the frame around the pages of a signed-in person. */

/** @import { DiagnosticsStore } from '../state/diagnostics.js' */
/** @import { CallStore } from '../state/call.js' */
/** @import { KeysStore } from '../state/keys/store.js' */
/** @import { LocalMedia } from '../state/media.js' */
/** @import { Preferences } from '../state/preferences.js' */
/** @import { RoomsStore } from '../state/rooms.js' */
/** @import { SessionStore } from '../state/session.js' */
/** @import { ChatView, FileInfo } from '../state/chat/interface.js' */
/** @import { Child } from '../ui/dom.js' */

import { t } from '../i18n/index.js';
import { el } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { brandMark } from '../ui/brand.js';

/**
 * How files come and go. `upload` reports parts of 1 as it goes on and fails when `signal` aborts (with `putOff` as its reason the server keeps
 * what it has, under the id that was `announced`, to be gone on with from `resume`); `thumbnail` gives nothing for what is no
 * picture; `download` asks the browser to save the file.
 * @typedef {object} Files
 * @property {(blob: Blob, options: { room: string, signal: AbortSignal, progress: (part: number) => void, announced: (id: string) => void, resume: string | null }) => Promise<{ id: string }>} upload
 * @property {() => Error} putOff
 * @property {(error: unknown) => boolean} isKept whether the server keeps what it has, although the upload failed so
 * @property {(id: string) => void} discard the server is to forget a file that goes with no message
 * @property {(blob: Blob) => Promise<Pick<FileInfo, 'width' | 'height' | 'thumbnail'> | null>} thumbnail
 * @property {(blob: Blob) => Promise<{ file: Blob, sealed: string }>} seal for encrypted rooms: what the server gets, and what the message says of it
 * @property {(file: FileInfo) => Promise<void>} download opens what is sealed
 */

/**
 * What pages may use.
 * @typedef {object} App
 * @property {SessionStore} session
 * @property {RoomsStore} rooms
 * @property {ChatView} chat
 * @property {Files | null} files null: this server takes none
 * @property {LocalMedia} media
 * @property {CallStore} call
 * @property {KeysStore} keys
 * @property {DiagnosticsStore} diagnostics
 * @property {import('../state/client-code.js').ClientCode} clientCode
 * @property {Preferences} preferences
 * @property {(path: string) => void} go
 * @property {() => void} redraw the same page again, after the language changed
 */

/**
 * A page draws itself once; what it listens to ends with `signal`, when another page takes its place.
 * @typedef {{ title: string, element: HTMLElement }} Drawn
 * @typedef {(app: App, parameters: string[], signal: AbortSignal) => Drawn} Page
 */

/**
 * The frame of a signed-in page: brand, links, content.
 * @param {App} app
 * @param {string} name for `data-page`
 * @param {Child[]} content
 * @returns {HTMLElement}
 */
export function framed(app, name, ...content) {
  return frame(app, name, '', content);
}

/**
 * The same for a page that is as high as the window and scrolls inside.
 * @param {App} app
 * @param {string} name
 * @param {Child[]} content
 */
export function framedWhole(app, name, ...content) {
  return frame(app, name, 'whole', content);
}

/**
 * @param {App} app
 * @param {string} name
 * @param {string} shape
 * @param {Child[]} content
 */
function frame(app, name, shape, content) {
  const here = name === 'settings' || name === 'diagnostics' ? 'settings' : 'rooms';
  /** @param {string} page */
  const current = (page) => (page === here ? { 'aria-current': 'page' } : {});
  const header = el(
    'header',
    { class: 'top-bar' },
    el('a', { class: 'brand', href: '/' }, brandMark(), el('span', {}, 'WebCall')),
    el(
      'nav',
      { 'aria-label': 'WebCall' },
      el('a', { href: '/', ...current('rooms') }, icon('people'), el('span', {}, t('shell.rooms'))),
      el('a', { href: '/settings', ...current('settings') }, icon('settings'), el('span', {}, app.session.user?.username ?? t('shell.settings'))),
    ),
  );
  const main = el('main', { id: 'content', class: 'content', tabindex: '-1', data: { page: name } }, ...content);
  const skip = el('button', { class: 'button skip', type: 'button', on: { click: () => main.focus() } }, t('common.skip'));
  return el('div', { class: `frame ${shape}` }, skip, header, main);
}

/**
 * A page heading, which takes the focus when the page appears and marks nothing better.
 * @param {string} text
 */
export function heading(text) {
  return el('h1', { tabindex: '-1' }, text);
}

/**
 * What takes the focus when a page appears: what the page marks with `data-focus`, else its heading.
 * @param {Element} page
 * @returns {HTMLElement | null}
 */
export function firstFocus(page) {
  return page.querySelector('[data-focus]') ?? page.querySelector('h1');
}

/**
 * A card in the middle of an otherwise empty page.
 * @param {string} name for `data-page`
 * @param {Child[]} content
 */
export function centred(name, ...content) {
  return el('main', { id: 'content', class: 'centred', data: { page: name } }, el('div', { class: 'brand large' }, brandMark(), el('span', {}, 'WebCall')), el('section', { class: 'card' }, ...content));
}
