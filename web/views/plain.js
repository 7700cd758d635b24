/** Pages that only say something: waiting, unreachable, nothing here. */

/** @import { Page } from './page.js' */

import { t } from '../i18n/index.js';
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
export const notFoundPage = (_app, [title = t('shell.not_found')]) => ({
  title,
  element: centred('not-found', heading(title), el('a', { class: 'button primary wide', href: '/' }, t('common.back_to_rooms'))),
});
