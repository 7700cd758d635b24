/** Reading the code of another person or device with the camera: a button where the browser can, and nothing elsewhere. */

import { errorText, t } from '../../i18n/index.js';
import { openScanningCamera } from '../../rtc/devices.js';
import { el, fill } from '../../ui/dom.js';
import { icon } from '../../ui/icons.js';
import { qrDetector, scan } from '../../ui/scanner.js';

/** @import { Detector } from '../../ui/scanner.js' */

/**
 * @param {{ button: string, hint: string, scanned: (text: string) => Promise<void> }} what `hint`: where to point the camera; `scanned` rejects with a `code`
 *   where it is not as it should be
 * @param {AbortSignal} signal
 */
export function scanPart({ button, hint, scanned }, signal) {
  const part = el('div', { class: 'stack' });
  /** @param {Detector} detector @param {unknown} [failed] what came of it last */
  const offer = (detector, failed) => {
    const start = el('button', { class: 'button wide', type: 'button', data: { action: 'scan-code' }, on: { click: () => void look(detector) } }, icon('camera'), button);
    fill(part, failed === undefined ? null : el('p', { class: 'problem', role: 'alert' }, icon('warning'), el('span', {}, errorText(failed))), start);
    return start;
  };
  /** @param {Detector} detector */
  const look = async (detector) => {
    const stopping = new AbortController();
    const video = el('video', { class: 'scanner', playsinline: true, 'aria-hidden': 'true', tabindex: '-1' });
    const stop = el('button', { class: 'button wide', type: 'button', data: { action: 'stop-scanning' }, on: { click: () => stopping.abort() } }, t('people.scan_stop'));
    fill(part, video, el('p', { class: 'hint', role: 'status' }, hint), stop);
    stop.focus();
    try {
      const text = await scan(detector, video, openScanningCamera, AbortSignal.any([signal, stopping.signal]));
      if (text !== null) await scanned(text);
      if (signal.aborted) return;
      const again = offer(detector);
      if (text === null) again.focus();
    } catch (error) {
      if (!signal.aborted) offer(detector, error).focus();
    }
  };
  void qrDetector().then((detector) => detector && !signal.aborted && offer(detector));
  return part;
}
