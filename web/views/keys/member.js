/** What a member's row in the details of an encrypted room says of the member's keys, and the way to the safety number. */

/** @import { App } from '../page.js' */
/** @import { Member, RoomWithMembers } from '../../api.js' */
/** @import { KeysAccount } from '../../state/keys/account.js' */
/** @import { Trust } from '../../state/keys/people.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { labelled } from '../../ui/form.js';
import { openCompare } from './compare.js';
import { verifiedMark, verifiedText } from './mark.js';

/** What is said beside the name; of who is trusted nothing. @type {Record<Exclude<Trust, 'trusted'>, 'keys.changed_short' | 'keys.refused_short' | 'keys.no_keys_short'>} */
const SAID = { changed: 'keys.changed_short', refused: 'keys.refused_short', none: 'keys.no_keys_short' };

/**
 * Fetches what the rows of these members show.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @returns {Promise<unknown[]>}
 */
export async function trustInMembers(app, room) {
  const { account } = app.keys;
  if (room.encryption !== 'mls' || account === null) return [];
  // Without an answer the rows show what was known last.
  await account.changedIn(room.id).catch(() => []);
  return room.members.map(({ user }) => [account.trustIn(user), account.people.markOf(user)]);
}

/** @param {App} app @param {RoomWithMembers} room @param {Member} member @returns {Child[]} */
export function memberKeys(app, room, member) {
  const { account } = app.keys;
  if (room.encryption !== 'mls' || account === null || member.user === app.session.user?.id) return [];
  const trust = account.trustIn(member.user) ?? 'none';
  const isLost = trust === 'changed' && account.people.markOf(member.user).verified === 'lost';
  const said = trust === 'trusted' ? verifiedMark(verifiedText(app, member)) : el('span', { class: `hint trust-${trust}` }, t(isLost ? 'people.lost_short' : SAID[trust]));
  return [said, trust === 'none' || trust === 'refused' ? null : safetyButton(account, member)];
}

/** Who has the keys of the room, and is not among its members as the server tells them. @param {App} app @param {RoomWithMembers} room */
export function unlistedRows(app, room) {
  const listed = new Set([app.session.user?.id, ...room.members.map(({ user }) => user)]);
  const inside = new Set((app.keys.account?.lookOf(room.id)?.members ?? []).map(({ user }) => user));
  return [...inside].filter((user) => !listed.has(user)).map(() => el('li', { class: 'member' }, el('span', { class: 'member-name' }, t('people.unnamed')), el('span', { class: 'hint trust-refused' }, t('people.unlisted'))));
}

/** @param {KeysAccount} account @param {{ user: string, username: string }} person */
export function safetyButton(account, person) {
  const label = labelled(t('keys.safety'), person.username);
  return el('button', { class: 'link', type: 'button', 'aria-label': label, data: { action: 'safety-number' }, on: { click: () => openCompare(account, person) } }, t('keys.safety'));
}
