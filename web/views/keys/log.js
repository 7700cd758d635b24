/**
 * What contradicts the log of everybody's keys, said to the person in a red banner: what it may mean, whose word stands against whose, and the
 * way on. The same above conversations of encrypted rooms and in the settings.
 */

/** @import { App } from '../page.js' */
/** @import { LogAlarm, Uuid } from '../../e2ee/keys/interface.js' */

import { errorText, t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';

/** Rooms that are looked through for somebody's name. */
const MAX_ROOMS = 20;

/** Nothing while nothing is contradicted, or the person went on. @param {App} app @returns {Promise<HTMLElement[]>} */
export async function logBanner(app) {
  const open = app.keys.logAlarms.filter(({ accepted }) => !accepted);
  // The server's own contradiction says more than another's word, and that of one's own device stops more.
  const alarm = open.find(({ user }) => user === null) ?? open.find((each) => !isOfOther(app, each)) ?? open[0];
  if (alarm === undefined) return [];
  const go = el('button', { class: 'button', type: 'button', data: { action: 'accept-log' }, on: { click: () => void goOn(app, go) } }, t('keys.log_continue'));
  return [el('div', { class: 'banner', role: 'alert', data: { banner: 'keys-log', why: alarm.why } }, icon('warning'), el('span', {}, `${await said(app, alarm)} ${t(isOfOther(app, alarm) ? 'keys.log_stops_with' : 'keys.log_stops')} ${t('keys.log_do')}`), go)];
}

/** @param {App} app @param {HTMLButtonElement} button */
async function goOn(app, button) {
  button.disabled = true;
  try {
    await app.keys.acceptLog();
  } catch (error) {
    toast(errorText(error), 'problem');
  }
  button.disabled = false;
}

/** Whose word stops only what is shared with them. @param {App} app @param {Pick<LogAlarm, 'user'>} alarm */
function isOfOther(app, { user }) {
  return user !== null && user !== app.session.user?.id;
}

/** @param {App} app @param {LogAlarm} alarm */
async function said(app, { why, user }) {
  if (why === 'other_log') return t('keys.log_other');
  if (why === 'not_consistent' || user === null) return t('keys.log_back');
  if (!isOfOther(app, { user })) return t('keys.log_split_own');
  return t('keys.log_split', { name: (await nameOf(app, user)) ?? t('keys.log_somebody') });
}

/** @param {App} app @param {Uuid} user @returns {Promise<string | undefined>} */
async function nameOf(app, user) {
  const rooms = (app.rooms.rooms ?? []).filter(({ encryption }) => encryption === 'mls').slice(0, MAX_ROOMS);
  for (const { id } of rooms) {
    const details = await app.rooms.details(id).catch(() => null);
    const member = details?.members.find((each) => each.user === user);
    if (member) return member.username;
  }
  return undefined;
}
