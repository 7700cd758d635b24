/**
 * Who speaks, by this browser's own ears: in a call that hides it from the server nobody else says so. Looks at what `getStats` knows of the
 * sound that was played, and of one's own microphone.
 */

/** @import { Report } from './stats.js' */
/** @import { SeatState } from './seats.js' */

/** Shorter costs more of the processor in a large call, longer shows late who speaks. */
const LISTEN_MS = 250;
/** A speaker stays one for this long after the last audible word, so that pauses between words do not flicker. */
const HOLD_MS = 900;
/** -40 dB below the loudest possible: above the noise of a quiet room. */
const AUDIBLE = 0.01;
/** At most so many speak at once, as where the server tells it. */
const MAX_SPEAKERS = 3;

/**
 * How loud each track is, from 0 to 1.
 * @param {Report} report
 * @returns {Map<string, number>} by the track's id
 */
export function levelsIn(report) {
  const sound = [...report.values()].filter(({ type, kind }) => kind === 'audio' && (type === 'inbound-rtp' || type === 'media-source'));
  return new Map(sound.flatMap(({ trackIdentifier, audioLevel }) => (typeof audioLevel === 'number' ? [[trackIdentifier, audioLevel]] : [])));
}

/** Whom one has heard of late. Pure but for what it remembers. */
export class Hearing {
  /** @type {Map<string, { level: number, at: number }>} */
  #voices = new Map();
  /** @type {readonly string[]} */
  #speakers = [];

  /**
   * @param {ReadonlyMap<string, number>} levels of participants
   * @param {number} now milliseconds
   * @returns {readonly string[]} who speaks, loudest first; the same array while nothing changed
   */
  hear(levels, now) {
    for (const [participant, level] of levels) if (level >= AUDIBLE) this.#voices.set(participant, { level, at: now });
    for (const [participant, { at }] of this.#voices) if (now - at >= HOLD_MS) this.#voices.delete(participant);
    const heard = [...this.#voices].sort(([, a], [, b]) => b.level - a.level).slice(0, MAX_SPEAKERS).map(([participant]) => participant);
    // Order changes only when the first place does: who is second or third is nobody's business.
    const isSame = heard.length === this.#speakers.length && heard[0] === this.#speakers[0] && heard.every((one) => this.#speakers.includes(one));
    if (!isSame) this.#speakers = heard;
    return this.#speakers;
  }
}

/**
 * Listens until `signal` ends it, and says whenever other people speak than before.
 * @param {{ stats: () => Promise<Report>, seats: { readonly all: readonly SeatState[] } }} engine
 * @param {() => { track: string | undefined, participant: string | null }} own
 * @param {(speakers: readonly string[]) => void} said
 * @param {AbortSignal} signal
 */
export function listenForSpeakers(engine, own, said, signal) {
  const hearing = new Hearing();
  /** @type {readonly string[]} */
  let before = [];
  const listen = async () => {
    const levels = levelsIn(await engine.stats().catch(() => new Map()));
    if (signal.aborted) return;
    const speakers = hearing.hear(levelsOfPeople(levels, engine.seats.all, own()), performance.now());
    if (speakers !== before && (speakers.length > 0 || before.length > 0)) said(speakers);
    before = speakers;
    timer = setTimeout(listen, LISTEN_MS);
  };
  let timer = setTimeout(listen, LISTEN_MS);
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}

/**
 * @param {ReadonlyMap<string, number>} levels
 * @param {readonly SeatState[]} seats
 * @param {{ track: string | undefined, participant: string | null }} own
 */
export function levelsOfPeople(levels, seats, own) {
  /** @type {Map<string, number>} */
  const people = new Map();
  for (const { audio, feed } of seats) {
    const level = levels.get(audio.receiver.track.id);
    // What a shared screen plays is no voice.
    if (feed?.kind === 'person' && level !== undefined) people.set(feed.participant, level);
  }
  const level = levels.get(own.track ?? '');
  if (own.participant !== null && level !== undefined) people.set(own.participant, level);
  return people;
}
