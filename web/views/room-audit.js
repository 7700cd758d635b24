/** What owner and moderators did in a room, in plain words. For the owner. */

/** @import { App } from './page.js' */
/** @import { Act, Room } from '../api.js' */

import { ago, errorText, t } from '../i18n/index.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill } from '../ui/dom.js';
import { spinner } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { actText } from './order-text.js';

const PAGE = 50;

/**
 * @param {App} app
 * @param {Pick<Room, 'id'>} room
 */
export function openAudit(app, room) {
  const list = el('ul', { class: 'acts' });
  const end = el('div', {}, spinner());
  /** @type {string | null} */
  let oldest = null;
  const load = async () => {
    fill(end, spinner());
    try {
      const acts = await app.rooms.acts(room.id, oldest, PAGE);
      oldest = acts.at(-1)?.id ?? oldest;
      list.append(...acts.map(actRow));
      if (list.children.length === 0) fill(end, el('p', { class: 'hint' }, t('audit.empty')));
      else if (acts.length < PAGE) fill(end);
      else fill(end, el('button', { class: 'button wide', type: 'button', data: { action: 'older-acts' }, on: { click: () => void load() } }, t('audit.older')));
    } catch (error) {
      fill(end, el('p', { class: 'problem' }, icon('warning'), el('span', {}, errorText(error))));
    }
  };
  openDialog({ title: t('audit.title') }, list, end);
  void load();
}

/** @param {Act} act */
function actRow(act) {
  const when = new Date(act.at);
  return el(
    'li',
    { class: 'act', data: { act: act.act } },
    el('span', { dir: 'auto' }, actText(act)),
    el('time', { class: 'hint', datetime: when.toISOString(), title: when.toLocaleString() }, ago(act.at, Date.now())),
  );
}
