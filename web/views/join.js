/** A room's link was opened: say which room it is, and join it. */

/** @import { Page } from './page.js' */

import { errorText, t } from '../i18n/index.js';
import { el, fill } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { attempt } from './room-acts.js';
import { framed, heading } from './page.js';

/** @type {Page} */
export const joinPage = (app, [code = ''], signal) => {
  const card = el('section', { class: 'card invitation' }, spinner());
  const join = async () => {
    await attempt(async () => app.go(`/rooms/${(await app.rooms.join(code)).id}`));
  };
  const draw = async () => {
    try {
      const name = await app.rooms.nameBehind(code);
      if (signal.aborted) return;
      const title = heading(t('join.title', { name }));
      const button = el('button', { class: 'button primary', type: 'button', data: { action: 'join-room' }, on: { click: () => void join() } }, t('join.action'));
      fill(card, icon('people'), title, el('p', { class: 'hint' }, t('encryption.open_hint')), button);
      title.focus();
    } catch (error) {
      if (signal.aborted) return;
      fill(card, icon('warning'), heading(errorText(error)), el('a', { class: 'button', href: '/' }, t('common.back_to_rooms')));
    }
  };
  void draw();
  return { title: t('join.action'), element: framed(app, 'join', card) };
};
