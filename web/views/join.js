/** A room's link was opened: say which room it is, and join it. */

/** @import { App, Page } from './page.js' */

import { t } from '../i18n/index.js';
import { el, fill } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { encryptionNote, strictNote } from './encryption.js';
import { centred, firstFocus, heading } from './page.js';
import { missingPage } from './plain.js';
import { promisedIn, secretIn } from '../state/rooms.js';
import { attempt } from './room-acts.js';

/** @type {Page} */
export const joinPage = (app, [code = ''], signal) => {
  const root = el('div', {}, centred('join', spinner()));
  const secret = secretIn(location.hash);
  const join = async () => {
    await attempt(async () => {
      const { id } = await app.rooms.join(code, await givenBy(app, secret));
      // What lets in is kept by now, and has no place in what the browser remembers of pages.
      if (secretIn(location.hash) !== null) history.replaceState(null, '', location.pathname);
      app.go(`/rooms/${id}`);
    });
  };
  /** @param {HTMLElement} page */
  const show = (page) => {
    if (signal.aborted) return;
    fill(root, page);
    firstFocus(root)?.focus();
  };
  const draw = async () => {
    try {
      const { name, ...protection } = await app.rooms.behind(code, promisedIn(location.hash));
      const button = el('button', { class: 'button primary wide', type: 'button', data: { action: 'join-room' }, on: { click: () => void join() } }, t('join.action'));
      const back = el('a', { class: 'button wide', href: '/' }, t('common.back_to_rooms'));
      show(centred('join', heading(t('join.title', { name })), encryptionNote(protection.encryption), strictNote(protection), el('div', { class: 'stack' }, button, back)));
    } catch (error) {
      show(missingPage('join', error, () => app.redraw()));
    }
  };
  void draw();
  return { title: t('join.action'), element: root };
};

/** Whose keys are not ready yet shows it as soon as they are. @param {App} app @param {string | null} secret in the link */
async function givenBy(app, secret) {
  const invitation = secret === null ? null : await app.keys.account?.invitationBy(secret).catch(() => null);
  return { secret, invitation: invitation ?? null };
}
