/**
 * From the results of the connection test to the hop at fault: one code, who can mend it, and the values its words need. Pure.
 *
 * The first fault on the way counts, since what lies behind it follows from it: the page's own connection, then the way of the media,
 * then what people see and hear of each other, then how well, then what only others would miss.
 */

/** @import { DiagnosticStep, Figures } from '../api.js' */

/** Three packets in a hundred: retransmission hides fewer, beyond it pictures freeze. */
export const LOSSY_PERMILLE = 30;
/** There and back twice the 150 ms one way up to which people notice nothing (ITU-T G.114). */
export const SLOW_MS = 300;

/** @typedef {'nobody' | 'you' | 'network' | 'operator' | 'both'} Who who can mend it; `both`: whoever runs the network or the server */
/** @typedef {'good' | 'warn' | 'bad'} Tone `warn`: calls work, but not as they should */

/** Every verdict. @type {{ [code: string]: { who: Who, tone: Tone } }} */
export const VERDICTS = /** @type {const} */ ({
  good: { who: 'nobody', tone: 'good' },
  server_busy: { who: 'operator', tone: 'warn' },
  websocket_blocked: { who: 'both', tone: 'bad' },
  media_unreachable: { who: 'operator', tone: 'bad' },
  udp_unreachable: { who: 'both', tone: 'bad' },
  udp_blocked: { who: 'network', tone: 'warn' },
  media_ports_blocked: { who: 'both', tone: 'warn' },
  ports_closed: { who: 'operator', tone: 'warn' },
  echo_failed: { who: 'operator', tone: 'bad' },
  devices: { who: 'you', tone: 'warn' },
  camera: { who: 'you', tone: 'warn' },
  microphone: { who: 'you', tone: 'warn' },
  lossy: { who: 'you', tone: 'warn' },
  slow: { who: 'you', tone: 'warn' },
  fallback_broken: { who: 'operator', tone: 'warn' },
});

/** The server takes nobody into media now; that says nothing about the way to it. */
const BUSY_REASONS = ['media_busy', 'busy', 'timed_out'];

/**
 * @typedef {object} Verdict
 * @property {string} code
 * @property {Who} who
 * @property {Tone} tone
 * @property {Record<string, string>} values for the words; `reason` is a code whose own words say what to do
 */

/**
 * @param {readonly DiagnosticStep[]} steps
 * @returns {Verdict}
 */
export function judge(steps) {
  const [code, values] = fault(new Map(steps.map((step) => [step.name, step])));
  const { who, tone } = /** @type {{ who: Who, tone: Tone }} */ (VERDICTS[code]);
  return { code, who, tone, values };
}

/** @typedef {ReadonlyMap<string, DiagnosticStep>} Steps */

/**
 * @param {Steps} steps
 * @returns {[keyof typeof VERDICTS & string, Record<string, string>]}
 */
function fault(steps) {
  if (is(steps, 'websocket', 'bad')) return ['websocket_blocked', {}];
  if ([...steps.values()].some(({ reason, ports }) => isBusy(reason) || ports?.some((port) => isBusy(port.reason)))) return ['server_busy', {}];
  const way = faultOnTheWay(steps);
  if (way !== null) return way;
  if (is(steps, 'echo', 'bad')) return ['echo_failed', {}];
  return faultOfDevices(steps) ?? poorQuality(steps.get('echo')?.figures) ?? brokenFallback(steps) ?? ['good', {}];
}

/**
 * @param {Steps} steps
 * @returns {[string, Record<string, string>] | null}
 */
function faultOnTheWay(steps) {
  const ports = steps.get('udp')?.ports ?? [];
  const closed = ports.filter(({ outcome }) => outcome === 'bad');
  if (closed.length === 0) return null;
  const values = { ports: closed.map(({ port }) => port).filter((port) => port > 0).join(', ') };
  if (closed.length < ports.length) return ['ports_closed', values];
  if (is(steps, 'turn_udp', 'good')) return ['media_ports_blocked', values];
  const overTcp = ['ice_tcp', 'turn_tcp', 'turn_tls'];
  if (overTcp.some((name) => is(steps, name, 'good'))) return ['udp_blocked', values];
  return [overTcp.some((name) => is(steps, name, 'bad')) ? 'media_unreachable' : 'udp_unreachable', values];
}

/**
 * @param {Steps} steps
 * @returns {[string, Record<string, string>] | null} with the reason, where it is one
 */
function faultOfDevices(steps) {
  const faulty = ['camera', 'microphone'].filter((name) => is(steps, name, 'bad'));
  const [first] = faulty;
  if (first === undefined) return null;
  const reasons = new Set(faulty.map((name) => steps.get(name)?.reason ?? ''));
  const [reason = ''] = reasons;
  return [faulty.length > 1 ? 'devices' : first, reasons.size === 1 && reason !== '' ? { reason } : {}];
}

/**
 * @param {Figures | undefined} figures
 * @returns {[string, Record<string, string>] | null}
 */
function poorQuality(figures) {
  if (!figures) return null;
  const loss = Math.max(figures.loss_up_permille, figures.loss_down_permille);
  if (loss >= LOSSY_PERMILLE) return ['lossy', { percent: String(Math.round(loss / 10)) }];
  const roundTrip = figures.round_trip_ms ?? 0;
  return roundTrip >= SLOW_MS ? ['slow', { ms: String(roundTrip) }] : null;
}

/**
 * The direct way works here; people in strict networks would need these.
 * @param {Steps} steps
 * @returns {[string, Record<string, string>] | null}
 */
function brokenFallback(steps) {
  const broken = ['ice_tcp', 'turn_udp', 'turn_tcp', 'turn_tls'].filter((name) => is(steps, name, 'bad'));
  return broken.length > 0 ? ['fallback_broken', { ways: broken.join(', ') }] : null;
}

/**
 * @param {Steps} steps
 * @param {string} name
 * @param {DiagnosticStep['outcome']} outcome
 */
function is(steps, name, outcome) {
  return steps.get(name)?.outcome === outcome;
}

/** @param {string | undefined} reason */
function isBusy(reason) {
  return reason !== undefined && BUSY_REASONS.includes(reason);
}
