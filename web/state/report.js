/** The results of the connection test as the server takes them, and as a text to send to somebody. Pure. */

/** @import { DiagnosticReport, DiagnosticStep, Figures } from '../api.js' */

/**
 * In the form of `webcall doctor --reports`, so that both can be laid side by side. Not translated: it is for whoever helps.
 * @param {DiagnosticReport} report
 * @param {number} nowMs
 * @returns {string}
 */
export function reportText({ browser, verdict, steps }, nowMs) {
  const when = new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ');
  return [`WebCall connection test, ${when} UTC`, `${verdict}  ${browser}`, ...steps.map(stepLine), ''].join('\n');
}

/** @param {DiagnosticStep} step */
function stepLine({ name, outcome, reason, took_ms: tookMs, ports = [], figures }) {
  const details = [
    ...(reason === undefined ? [] : [reason]),
    ...(tookMs === undefined ? [] : [`${tookMs} ms`]),
    ...ports.map((port) => ['port', port.port, port.outcome, port.reason, port.took_ms === undefined ? undefined : `${port.took_ms} ms`].filter((part) => part !== undefined).join(' ')),
    ...(figures ? [figuresText(figures)] : []),
  ];
  return `  ${name.padEnd(11)} ${outcome.padEnd(12)} ${details.join(', ')}`.trimEnd();
}

/** @param {Figures} figures */
function figuresText(figures) {
  const percent = (/** @type {number} */ permille) => `${(permille / 10).toFixed(1)} %`;
  const roundTrip = figures.round_trip_ms === undefined ? '' : `, round trip ${figures.round_trip_ms} ms`;
  return `lost ${percent(figures.loss_up_permille)} up and ${percent(figures.loss_down_permille)} down${roundTrip}, ${figures.sent_kbps} kbit/s up and ${figures.received_kbps} kbit/s down, ${figures.frames_per_second} frames/s`;
}
