/** The connection test: a button, the steps with a sentence each, and at the end in plain words what is at fault and who can mend it. */

/** @import { DiagnosticPort } from '../api.js' */
/** @import { Page } from './page.js' */
/** @import { DiagnosticsStore } from '../state/diagnostics.js' */
/** @import { ShownStep } from '../state/diagnostics-run.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { IconName } from '../ui/icons.js' */

import { errorText, has, t } from '../i18n/index.js';
import { reportText } from '../state/report.js';
import { announce } from '../ui/announce.js';
import { openDialog } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';
import { framed, heading } from './page.js';

/** @type {Page} */
export const diagnosticsPage = (app, _parameters, signal) => {
  const { diagnostics } = app;
  const title = t('diagnose.title');
  const verdict = el('section', { class: 'card verdict', hidden: true, 'aria-labelledby': 'verdict' });
  const steps = el('ol', { class: 'card steps' });
  const act = el('button', { class: 'button primary', type: 'button', 'data-focus': true, on: { click: () => (diagnostics.phase === 'running' ? diagnostics.stop() : void diagnostics.start()) } });
  const copy = el('button', { class: 'button', type: 'button', data: { action: 'copy-report' }, on: { click: () => void copyReport(diagnostics) } }, t('diagnose.copy'));
  const picture = echoPicture();
  const draw = () => {
    const { phase } = diagnostics;
    page.dataset['phase'] = phase;
    act.dataset['action'] = phase === 'running' ? 'stop-test' : 'start-test';
    act.textContent = t(phase === 'running' ? 'diagnose.stop' : phase === 'idle' ? 'diagnose.start' : 'diagnose.again');
    copy.hidden = diagnostics.report === null;
    drawVerdict(verdict, diagnostics);
    fill(steps, ...diagnostics.steps.map((step) => stepRow(step, step.name === 'echo' ? picture : null)));
  };
  const lead = el('div', { class: 'stack' }, el('p', {}, t('diagnose.lead')), el('p', { class: 'hint' }, t('diagnose.privacy')), el('div', { class: 'row' }, act, copy));
  const element = framed(app, 'diagnostics', heading(title), lead, verdict, steps);
  const page = /** @type {HTMLElement} */ (element.querySelector('[data-page]'));
  listen(diagnostics, 'change', draw, signal);
  listen(diagnostics, 'step', ({ detail }) => detail.state !== 'running' && announce(`${t(`diagnose.step.${/** @type {ShownStep} */ (detail).name}`)}: ${t(`diagnose.state.${/** @type {ShownStep} */ (detail).state}`)}`), signal);
  listen(diagnostics, 'picture', () => showPicture(picture, diagnostics.picture), signal);
  followEnd(diagnostics, verdict, signal);
  signal.addEventListener('abort', () => diagnostics.stop());
  draw();
  return { title, element };
};

/**
 * At the end the verdict is read, and the focus goes to it unless the person has gone elsewhere.
 * @param {DiagnosticsStore} diagnostics
 * @param {HTMLElement} verdict
 * @param {AbortSignal} signal
 */
function followEnd(diagnostics, verdict, signal) {
  let before = diagnostics.phase;
  listen(
    diagnostics,
    'change',
    () => {
      const { phase } = diagnostics;
      if (phase === before) return;
      before = phase;
      if (phase === 'done' || phase === 'failed') verdict.querySelector('h2')?.focus();
    },
    signal,
  );
}

/** @type {Record<string, IconName>} */
const TONE_ICONS = { good: 'check', warn: 'warning', bad: 'warning' };

/**
 * @param {HTMLElement} card
 * @param {DiagnosticsStore} diagnostics
 */
function drawVerdict(card, { phase, verdict, error, sent }) {
  card.hidden = phase !== 'done' && phase !== 'failed';
  if (card.hidden) {
    fill(card);
    delete card.dataset['drawn'];
    delete card.dataset['verdict'];
    return;
  }
  const key = verdict ? `${verdict.code}:${sent}` : 'failed';
  if (card.dataset['drawn'] === key) return;
  const hadFocus = card.contains(card.ownerDocument.activeElement);
  card.dataset['drawn'] = key;
  card.dataset['verdict'] = verdict?.code ?? 'failed';
  card.dataset['tone'] = verdict?.tone ?? 'bad';
  const title = el('h2', { id: 'verdict', tabindex: '-1' }, verdict ? words(`verdict.${verdict.code}`) : t('diagnose.failed'));
  const head = el('div', { class: 'with-icon' }, icon(TONE_ICONS[card.dataset['tone'] ?? ''] ?? 'warning'), title);
  if (verdict === null) fill(card, head, el('p', {}, errorText(error)));
  else {
    const { code, who, values } = verdict;
    const advice = values['reason'] ? errorText({ code: values['reason'] }) : who === 'nobody' ? '' : words(`verdict.${code}.do`, values);
    const mend = who === 'nobody' ? null : el('p', {}, el('b', {}, `${t(`diagnose.who.${who}`)} `), advice);
    const kept = sent === 'sent' ? t('diagnose.sent') : sent === 'failed' ? t('diagnose.not_sent') : null;
    fill(card, head, el('p', {}, words(`verdict.${code}.what`, values)), mend, kept === null ? null : el('p', { class: 'hint', data: { sent } }, kept));
  }
  if (hadFocus) title.focus();
}

/** @type {Record<ShownStep['state'], IconName | null>} */
const STATE_ICONS = { waiting: null, running: null, good: 'check', bad: 'warning', not_offered: 'minus', skipped: 'minus' };

/**
 * @param {Readonly<ShownStep>} step
 * @param {HTMLElement | null} picture
 */
function stepRow(step, picture) {
  const sign = STATE_ICONS[step.state];
  return el(
    'li',
    { class: 'step', data: { step: step.name, state: step.state } },
    el('span', { class: 'step-sign' }, sign ? icon(sign) : null),
    el('div', { class: 'step-text' }, el('h2', {}, t(`diagnose.step.${step.name}`)), el('p', { class: 'hint' }, sentence(step))),
    picture,
  );
}

/**
 * @param {Readonly<ShownStep>} step
 * @returns {string}
 */
function sentence({ name, state, reason, took_ms: tookMs, ports, figures }) {
  if (state === 'waiting') return t(`diagnose.about.${name}`);
  if (state === 'bad' && reason !== undefined) return has(`diagnose.reason.${reason}`) ? words(`diagnose.reason.${reason}`) : errorText({ code: reason });
  if (ports) return ports.map(portSentence).join(' ');
  if (figures) {
    const percent = (/** @type {number} */ permille) => String(Math.round(permille) / 10);
    const trip = figures.round_trip_ms === undefined ? '' : ` ${t('diagnose.round_trip', { ms: figures.round_trip_ms })}`;
    const loss = t('diagnose.loss', { up: percent(figures.loss_up_permille), down: percent(figures.loss_down_permille) });
    return `${loss}${trip} ${t('diagnose.rate', { up: figures.sent_kbps, down: figures.received_kbps, fps: figures.frames_per_second })}`;
  }
  return state === 'good' && tookMs !== undefined ? t('diagnose.took', { ms: tookMs }) : t(`diagnose.state.${state}`);
}

/** @param {DiagnosticPort} port */
function portSentence({ port, outcome }) {
  if (outcome === 'good') return t('diagnose.port_open', { port });
  return port > 0 ? t('diagnose.port_closed', { port }) : t('diagnose.port_busy');
}

/**
 * A text whose key is put together from a code. A test holds the codes and the keys together.
 * @param {string} key
 * @param {Record<string, string>} [values]
 */
function words(key, values) {
  return t(/** @type {Key} */ (key), values);
}

function echoPicture() {
  const video = el('video', { class: 'echo-picture', playsinline: true, hidden: true, 'aria-label': t('diagnose.picture') });
  video.muted = true;
  video.autoplay = true;
  return video;
}

/**
 * @param {HTMLVideoElement} video
 * @param {MediaStreamTrack | null} track
 */
function showPicture(video, track) {
  video.hidden = track === null;
  video.srcObject = track && new MediaStream([track]);
  if (track) void video.play().catch(() => {});
}

/** @param {DiagnosticsStore} diagnostics */
async function copyReport({ report }) {
  if (report === null) return;
  const text = reportText(report, Date.now());
  try {
    await navigator.clipboard.writeText(text);
    toast(t('diagnose.copied'));
  } catch {
    openDialog({ title: t('diagnose.copy') }, el('pre', { class: 'report', tabindex: '0' }, text));
  }
}
