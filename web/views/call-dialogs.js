/** The dialogs of a call: keys, devices, and what the connection does in numbers. */

/** @import { App } from './page.js' */
/** @import { StreamSummary } from '../rtc/stats.js' */

import { t } from '../i18n/index.js';
import { summarise } from '../rtc/stats.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill } from '../ui/dom.js';
import { SHORTCUTS } from './controls.js';
import { deviceChoices } from './device-choices.js';

/** How often the numbers change. */
const DETAILS_EVERY_MS = 1_500;

export function openHelp() {
  const rows = SHORTCUTS.map(({ key, text }) => el('div', { class: 'shortcut' }, el('dt', {}, el('kbd', {}, key)), el('dd', {}, t(text))));
  openDialog({ title: t('help.title'), class: 'narrow' }, el('dl', { class: 'shortcuts' }, ...rows));
}

/** @param {App} app */
export function openDevices(app) {
  const ends = new AbortController();
  openDialog({ title: t('call.settings'), class: 'narrow', closed: () => ends.abort() }, deviceChoices(app, ends.signal));
}

/** @param {App} app */
export function openDetails(app) {
  const body = el('div', { class: 'stack details' });
  /** @type {Map<string, any>} */
  let before = new Map();
  const draw = async () => {
    const report = await app.call.engine?.stats();
    if (!report) return;
    const after = new Map(/** @type {Iterable<[string, any]>} */ (/** @type {unknown} */ (report)));
    const { roundTripMs, lossPercent, sent, received } = summarise(before, after);
    before = after;
    fill(
      body,
      fact(t('details.round_trip'), [roundTripMs === null ? '–' : t('details.ms', { value: roundTripMs })]),
      fact(t('details.loss'), [t('details.percent', { value: lossPercent })]),
      fact(t('details.sent'), sent.map(streamText)),
      fact(t('details.received'), received.map(streamText)),
    );
  };
  const timer = setInterval(() => void draw(), DETAILS_EVERY_MS);
  openDialog({ title: t('details.title'), closed: () => clearInterval(timer) }, body);
  void draw();
}

/**
 * @param {string} name
 * @param {string[]} values
 */
function fact(name, values) {
  const lines = values.length > 0 ? values : [t('details.nothing')];
  return el('div', { class: 'fact' }, el('h3', {}, name), el('ul', {}, ...lines.map((line) => el('li', {}, line))));
}

/** @param {StreamSummary} stream */
function streamText({ kind, codec, kilobitsPerSecond: rate, width, height, framesPerSecond: fps }) {
  return kind === 'audio' ? t('details.sound', { codec, rate }) : t('details.picture', { codec, width, height, fps, rate });
}
