/** Choosing a microphone, a camera and a speaker. Redrawn when devices come and go. Used before the call and in it. */

/** @import { App } from './page.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { Device } from '../rtc/devices.js' */

import { t } from '../i18n/index.js';
import { listDevices, watchDevices } from '../rtc/devices.js';
import { el, fill, listen } from '../ui/dom.js';
import { choice } from '../ui/form.js';

/** Whether this browser can send sound to a chosen speaker. */
export const canChooseSpeaker = () => 'setSinkId' in HTMLMediaElement.prototype;

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function deviceChoices(app, signal) {
  const root = el('div', { class: 'stack devices' });
  let shown = '';
  const draw = async () => {
    const devices = await listDevices();
    const { microphone, camera } = app.media;
    const state = JSON.stringify([devices, microphone.track?.getSettings().deviceId, camera.track?.getSettings().deviceId]);
    if (signal.aborted || state === shown || root.contains(document.activeElement)) return;
    shown = state;
    fill(
      root,
      deviceChoice('microphone', devices.microphones, current(microphone.track) ?? app.preferences.get('microphone'), (id) => void app.media.choose('microphone', id)),
      deviceChoice('camera', devices.cameras, current(camera.track) ?? app.preferences.get('camera'), (id) => void app.media.choose('camera', id)),
      canChooseSpeaker() ? deviceChoice('speaker', devices.speakers, app.preferences.get('speaker'), (id) => app.preferences.set('speaker', id)) : null,
    );
  };
  watchDevices(() => void draw(), signal);
  listen(app.media, 'change', () => void draw(), signal);
  void draw();
  return root;
}

/** @param {MediaStreamTrack | null} track */
function current(track) {
  return track?.getSettings().deviceId ?? null;
}

/**
 * @param {'microphone' | 'camera' | 'speaker'} name
 * @param {Device[]} devices
 * @param {string | null} value
 * @param {(id: string) => void} changed
 */
function deviceChoice(name, devices, value, changed) {
  const kind = t(/** @type {Key} */ (`device.${name}`));
  const options = devices.map(({ id, label }, index) => ({ value: id, text: label || t('device.unnamed', { kind, number: index + 1 }) }));
  const all = options.length > 0 ? options : [{ value: '', text: t('device.default') }];
  return choice({ label: kind, name, options: all, value: value ?? '', changed: (id) => id && changed(id) });
}
