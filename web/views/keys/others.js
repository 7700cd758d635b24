/** The others in a direct conversation of more than two, which has no list of members: how their keys stand, and the way to their safety numbers. */

/** @import { App } from '../page.js' */
/** @import { RoomWithMembers } from '../../api.js' */

import { t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el, fill, listen } from '../../ui/dom.js';
import { personName } from '../name.js';
import { memberKeys, trustInMembers, unlistedRows } from './member.js';

/** @param {App} app @param {RoomWithMembers} room */
export function openOthers(app, room) {
  const ending = new AbortController();
  const list = el('ul', { class: 'members' });
  openDialog({ title: t('keys.safety_all'), class: 'narrow', closed: () => ending.abort() }, list);
  const others = room.members.filter(({ user }) => user !== app.session.user?.id);
  const draw = async () => {
    await trustInMembers(app, room);
    if (ending.signal.aborted) return;
    const rows = others.map((member) => el('li', { class: 'member', data: { username: member.username } }, el('span', { class: 'member-name' }, personName(member.username, false)), ...memberKeys(app, room, member)));
    fill(list, ...rows, ...unlistedRows(app, room));
  };
  void draw();
  listen(app.keys, ['change', 'person'], () => void draw(), ending.signal);
}
