/**
 * The sign of who is verified: this person compared keys with them. Everybody else has none. Shown only where keys prove who it is: in encrypted
 * rooms, and of who is in their calls by the group's word.
 */

/** @import { App } from '../page.js' */
/** @import { Participant } from '../../protocol.js' */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';

/** @typedef {{ text: string, hint: string, isRenamed: boolean }} Verified */

/**
 * What is said of a user, whom the server calls by this name.
 * @param {App} app
 * @param {{ user: string, username: string }} person
 * @returns {Verified | null} null: not verified
 */
export function verifiedText(app, { user, username }) {
  const mark = app.keys.account?.people.markOf(user);
  if (mark?.verified !== 'yes') return null;
  const { name } = mark;
  if (name === username) return { text: t('people.verified'), hint: t('people.verified_hint', { name }), isRenamed: false };
  return { text: t('people.verified_as', { name }), hint: t('people.verified_as_hint', { name }), isRenamed: true };
}

/** The same of somebody in a call. @param {App} app @param {Participant} participant */
export function verifiedInCall(app, participant) {
  return app.call.isProven(participant) ? verifiedText(app, participant) : null;
}

/** Of one's own devices nothing is said. @param {Verified | null} verified */
export function verifiedMark(verified) {
  if (verified === null) return null;
  const { text, hint, isRenamed } = verified;
  return el('span', { class: 'verified', title: hint, data: { verified: isRenamed ? 'renamed' : 'yes' } }, icon('shield'), el('span', {}, text));
}
