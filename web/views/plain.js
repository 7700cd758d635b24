/** Pages that only say something: waiting, unreachable, nothing here. */

/** @import { Page } from './page.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { Child } from '../ui/dom.js' */

import { errorText, t } from '../i18n/index.js';
import { el } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { centred, heading } from './page.js';

/** @type {Page} */
export const waitingPage = () => ({ title: 'WebCall', element: el('main', { class: 'waiting', data: { page: 'waiting' } }, spinner()) });

/** @type {Page} */
export const unreachablePage = (app) => {
  const retry = el('button', { class: 'button primary wide', type: 'button', data: { action: 'retry' }, on: { click: () => void app.session.restore() } }, t('common.retry'));
  const title = t('shell.unreachable');
  return { title, element: centred('unreachable', heading(title), el('p', {}, t('shell.unreachable_hint')), retry) };
};

/** @type {Page} */
export const notFoundPage = () => ({ title: t('shell.not_found'), element: troublePage('not-found', t('shell.not_found'), t('error.not_found')) });

/** A short heading for what a link or an address leads to no more. @type {Record<string, Key>} */
const TITLES = { room_not_found: 'shell.no_room', link_not_found: 'shell.no_link', link_contradicted: 'shell.other_room' };

/**
 * Where a room or an invitation should be and is not.
 * @param {string} name for `data-page`
 * @param {unknown} error
 * @param {() => void} again what to try again, where that may help
 */
export function missingPage(name, error, again) {
  const known = TITLES[/** @type {{ code?: string }} */ (error).code ?? ''];
  const retry = el('button', { class: 'button wide', type: 'button', data: { action: 'retry' }, on: { click: again } }, t('common.retry'));
  return troublePage(name, t(known ?? 'shell.trouble'), errorText(error), known ? null : retry);
}

/**
 * @param {string} name
 * @param {string} title
 * @param {string} text
 * @param {Child[]} more
 */
function troublePage(name, title, text, ...more) {
  const back = el('a', { class: 'button primary wide', href: '/' }, t('common.back_to_rooms'));
  return centred(name, heading(title), el('p', {}, text), el('div', { class: 'stack' }, back, ...more));
}
