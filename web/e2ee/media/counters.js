/** What has become of the frames of a track, by name; and the lock of the interface, which is computed from nothing else. */

/** @import { Counter, Counters, Report } from './interface.js' */

/** @type {readonly Counter[]} */
const NAMES = [
  'sealed', // sent, under this client's own key
  'opened', // received: sealed by the participant who sits there, whole and new
  'auth_failed', // changed on the way, or sealed under another key
  'replayed', // seen before, or too old to know
  'malformed', // no frame of this codec
  'clear_refused', // a frame that nobody sealed
  'no_key', // sealed under a key that is not here yet, or no longer
  'foreign', // sealed by somebody, or as a source, that does not sit there
  'unknown_codec', // neither sealed nor opened
  'no_sending_key', // not sent: there is no key yet, or its counter is used up
  'failed', // a fault of this client's own; the frame is dropped
];
/** Those that no honest server causes, not even while seats or keys change. @type {readonly Counter[]} */
const SUSPICIOUS = ['auth_failed', 'malformed', 'clear_refused', 'unknown_codec'];

/** @returns {Counters} */
export function zeros() {
  return /** @type {Counters} */ (Object.fromEntries(NAMES.map((name) => [name, 0])));
}

/**
 * @param {readonly Counters[]} all
 * @returns {Counters}
 */
export function sum(all) {
  const total = zeros();
  for (const counters of all) for (const name of NAMES) total[name] += counters[name];
  return total;
}

/**
 * What the lock may say, from what this client itself sealed and opened between two reports.
 * @param {Report | null} before
 * @param {Report} now
 * @returns {'closed' | 'idle' | 'attacked'} closed: all that flowed was sealed; idle: nothing flowed; attacked: something came in that
 *   was not sealed as it must be. It was dropped, and it came from the server or the way there.
 */
export function lockOf(before, now) {
  const [then, since] = [totalOf(before), totalOf(now)];
  const rose = (/** @type {Counter} */ name) => since[name] > then[name];
  if (SUSPICIOUS.some(rose)) return 'attacked';
  return rose('sealed') || rose('opened') ? 'closed' : 'idle';
}

/** @param {Report | null} report */
function totalOf(report) {
  return report === null ? zeros() : sum([report.past, ...report.tracks.map(({ counters }) => counters)]);
}
