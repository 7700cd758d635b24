/** What can be done with a room from several places: copy its link, leave it, delete it. */

/** @import { App } from './page.js' */
/** @import { Room } from '../api.js' */

import { errorText, t } from '../i18n/index.js';
import { confirmFirst, openDialog } from '../ui/dialog.js';
import { el } from '../ui/dom.js';
import { promiseOf } from '../state/rooms.js';
import { toast } from '../ui/toast.js';

/** @typedef {Pick<Room, 'id' | 'link_code' | 'encryption' | 'strict'>} Linked */

/**
 * `letsIn`: whoever has it comes in by it; else they wait until a person lets them in, as in a strict room, or where this device is not inside itself.
 * @param {App} app
 * @param {Linked} room
 */
export async function roomLink(app, { id, link_code, encryption, strict }) {
  const code = link_code ?? '';
  const secret = encryption === 'mls' && !strict ? ((await app.keys.account?.linkTo(id, code).catch(() => null)) ?? null) : null;
  return { href: new URL(`/join/${code}${promiseOf({ encryption, strict }, secret)}`, location.href).href, letsIn: encryption === 'open' || secret !== null };
}

/**
 * Where the browser refuses the clipboard (not https), the link is shown to be copied by hand.
 * @param {App} app
 * @param {Linked} room
 */
export async function copyLink(app, room) {
  const { href, letsIn } = await roomLink(app, room);
  const said = letsIn ? 'rooms.link_copied' : room.strict ? 'people.link_copied' : 'people.link_copied_early';
  try {
    await navigator.clipboard.writeText(href);
    toast(t(said));
  } catch {
    const input = el('input', { class: 'copyable', readonly: true, value: href, 'aria-label': t('rooms.link') });
    openDialog({ title: t('rooms.link'), class: 'narrow' }, el('p', {}, t('rooms.link_manual')), letsIn ? null : el('p', { class: 'hint' }, t('people.link_waits')), input);
    input.select();
  }
}

/**
 * @param {App} app
 * @param {Pick<Room, 'id' | 'name'>} room
 */
export async function deleteRoom(app, room) {
  const agreed = await confirmFirst({ title: t('rooms.delete_title', { name: room.name }), text: t('rooms.delete_text'), action: t('rooms.delete') });
  if (agreed) await attempt(() => app.rooms.remove(room.id));
}

/**
 * @param {App} app
 * @param {Pick<Room, 'id' | 'name'>} room
 */
export async function leaveRoom(app, room) {
  const agreed = await confirmFirst({ title: t('rooms.leave_title', { name: room.name }), text: t('rooms.leave_text'), action: t('rooms.leave') });
  if (agreed) await attempt(() => app.rooms.removeMember(room.id, app.session.user?.id ?? ''));
}

/**
 * @param {() => Promise<unknown>} act
 * @returns {Promise<boolean>} whether it worked; if not, a note says why
 */
export async function attempt(act) {
  try {
    await act();
    return true;
  } catch (error) {
    toast(errorText(error), 'problem');
    return false;
  }
}
