/**
 * A device of one's own that came without this one's doing, said once: who has a way back, or a device that was removed since, can make one. The same above
 * conversations of encrypted rooms and in the settings.
 */

/** @import { App } from '../page.js' */

import { errorText, listed, t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';
import { SECOND_PRESS_MS } from './came.js';
import { deviceName } from './devices.js';

/** Of which the banner told last, and when that was otherwise. */
let [shown, shown_ms] = ['', -Infinity];

/** @param {App} app @param {{ inSettings?: boolean }} [where] there the devices are in sight @returns {HTMLElement[]} */
export function deviceNews({ keys: { account } }, { inSettings = false } = {}) {
  const devices = account?.newDevices ?? [];
  if (shown !== '' && shown !== devices.join()) shown_ms = performance.now();
  shown = devices.join();
  if (account === null || devices.length === 0) return [];
  /** Of which the banner told, and of none that came since. */
  const know = async () => {
    if (performance.now() - shown_ms < SECOND_PRESS_MS) return;
    button.disabled = true;
    await account.sawDevices(devices).catch((error) => toast(errorText(error), 'problem'));
    button.disabled = false;
  };
  const button = el('button', { class: 'button', type: 'button', data: { action: 'know-device' }, on: { click: () => void know() } }, t('keys.device_known'));
  const look = el('a', { class: 'button', href: '/settings', data: { action: 'to-keys' } }, t('keys.device_look'));
  const text = el('span', {}, t('keys.device_came', { names: listed(devices.map(deviceName)) }));
  return [el('div', { class: 'banner', role: 'status', data: { banner: 'keys-device' } }, icon('warning'), text, inSettings ? null : look, button)];
}
