/**
 * A device of one's own that came without this one's doing, said once: who has a way back, or a device that was removed since, can make one. The same above
 * conversations of encrypted rooms and in the settings.
 */

/** @import { App } from '../page.js' */

import { errorText, t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';

/** @param {App} app @param {{ inSettings?: boolean }} [where] there the devices are in sight @returns {HTMLElement[]} */
export function deviceNews({ keys: { account } }, { inSettings = false } = {}) {
  if (account === null || account.newDevices.length === 0) return [];
  const know = async () => {
    button.disabled = true;
    await account.sawNewDevices().catch((error) => toast(errorText(error), 'problem'));
    button.disabled = false;
  };
  const button = el('button', { class: 'button', type: 'button', data: { action: 'know-device' }, on: { click: () => void know() } }, t('keys.device_known'));
  const look = el('a', { class: 'button', href: '/settings', data: { action: 'to-keys' } }, t('keys.device_look'));
  const text = el('span', {}, t('keys.device_came'));
  return [el('div', { class: 'banner', role: 'status', data: { banner: 'keys-device' } }, icon('warning'), text, inSettings ? null : look, button)];
}
