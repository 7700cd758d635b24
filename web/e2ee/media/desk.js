/**
 * The media worker without its shell: takes the messages and the transforms, and holds the keys and the tracks of one stay in a call.
 * One desk seals for one join: its counters begin at nought and its own base keys must be new.
 */

/** @import { EpochMessage, KeyMessage, Report, SeatMessage, Transformer, WorkerMessage } from './interface.js' */
/** @import { Surroundings } from './track.js' */

import { sum, zeros } from './counters.js';
import { run } from './frames.js';
import { KEEP_MS, KeyRing } from './keys.js';
import { readKid } from './kid.js';
import { readKeyMessage, readOptions, readPageMessage } from './messages.js';
import { Pace } from './pace.js';
import { ReceivingTrack, SendingTrack } from './track.js';

/** Two lines for each of 48 seats, four of one's own. Transforms beyond that get no frames through. */
const MAX_TRACKS = 100;
/** A key that is missing is asked for once in this time, and not more than a few keys at once: KIDs are whatever the server sends. */
const ASK_INTERVAL_MS = 2_000;
const MAX_ASKED = 16;

/**
 * @typedef {object} Shell
 * @property {() => number} now milliseconds
 * @property {(message: WorkerMessage) => void} post to the page
 * @property {(act: () => void, delay_ms: number) => void} later
 */

export class Desk {
  #shell;
  #ring = new KeyRing();
  /** @type {Map<string, SendingTrack | ReceivingTrack>} */
  #tracks = new Map();
  /** Said of seats whose transform has not come yet. @type {Map<string, SeatMessage['feed']>} */
  #early = new Map();
  #past = zeros();
  #refused = 0;
  #asking = new Pace(ASK_INTERVAL_MS, MAX_ASKED);
  /** Tracks that wait for keys: each holds one frame at most. @type {Set<(isHere: boolean) => void>} */
  #held = new Set();
  /** @type {MessagePort | null} */
  #keys = null;

  /** @param {Shell} shell */
  constructor(shell) {
    this.#shell = shell;
  }

  /**
   * A message of the page.
   * @param {unknown} data
   * @param {readonly MessagePort[]} ports
   */
  page(data, ports) {
    const message = readPageMessage(data);
    if (message?.type === 'report') this.#shell.post({ type: 'report', id: message.id, report: this.report() });
    else if (message?.type === 'seat') this.#seat(message);
    else if (message?.type === 'keys' && ports[0] && this.#keys === null) this.#listen(ports[0]);
    else this.#refused += 1;
  }

  /**
   * Frames begin to flow. Without understandable options they end here.
   * @param {Transformer} transformer
   */
  transform(transformer) {
    const track = this.#track(transformer);
    if (track === null) {
      this.#refused += 1;
      return run(transformer, async () => null);
    }
    this.#tracks.set(track.name, track);
    return run(transformer, track.step).then(() => {
      this.#tracks.delete(track.name);
      this.#past = sum([this.#past, track.counters]);
    });
  }

  /** @returns {Report} */
  report() {
    return { epoch: this.#ring.epoch, tracks: [...this.#tracks.values()].map((track) => track.report()), past: { ...this.#past }, refused_messages: this.#refused };
  }

  /** @param {MessagePort} port */
  #listen(port) {
    this.#keys = port;
    port.onmessage = ({ data }) => {
      const message = readKeyMessage(data);
      if (message === null || !this.#take(message)) this.#refused += 1;
    };
  }

  /** @param {KeyMessage} message */
  #take(message) {
    const isNew = message.type === 'member' ? this.#ring.add(message.epoch, message.member) : this.#begin(message);
    if (isNew) for (const wake of this.#held) wake(true);
    return isNew;
  }

  /** @param {EpochMessage} message */
  #begin(message) {
    const now = this.#shell.now();
    const begun = this.#ring.begin(message, now);
    if (begun === null) return false;
    this.#shell.later(() => this.#ring.prune(this.#shell.now()), KEEP_MS);
    for (const track of this.#tracks.values()) if (track instanceof ReceivingTrack) track.begin();
    if (!begun.hasNewcomers) return true;
    if (begun.begins_ms > now) this.#shell.later(() => this.#greet(), begun.begins_ms - now);
    else this.#greet();
    return true;
  }

  #greet() {
    for (const track of this.#tracks.values()) if (track instanceof SendingTrack) track.greet();
  }

  /** @param {number} within_ms @returns {Promise<boolean>} whether more keys came */
  #more(within_ms) {
    return new Promise((resolve) => {
      const wake = (/** @type {boolean} */ isHere) => {
        this.#held.delete(wake);
        resolve(isHere);
      };
      this.#held.add(wake);
      this.#shell.later(() => wake(false), within_ms);
    });
  }

  /** @param {SeatMessage} message */
  #seat({ track: name, feed }) {
    const track = this.#tracks.get(name);
    if (track instanceof ReceivingTrack) track.seat.take(feed, track.kind, this.#shell.now());
    else if (track || (this.#early.size >= MAX_TRACKS && !this.#early.has(name))) this.#refused += 1;
    else this.#early.set(name, feed);
  }

  /** @param {Transformer} transformer */
  #track(transformer) {
    const options = readOptions(transformer.options);
    if (options === null || this.#tracks.size >= MAX_TRACKS || this.#tracks.has(options.track)) return null;
    /** @type {Surroundings} */
    const around = {
      ring: this.#ring,
      now: this.#shell.now,
      missing: (kid) => this.#ask(kid),
      more: (within_ms) => this.#more(within_ms),
      keyframe: (track) => this.#shell.post({ type: 'keyframe', track }),
      source: (track, owner, context) => this.#shell.post({ type: 'source', track, owner, context }),
    };
    if (options.side === 'send') return new SendingTrack(options.track, options.source, transformer, around);
    const track = new ReceivingTrack(options.track, options.kind, transformer, around);
    track.seat.take(this.#early.get(options.track) ?? null, options.kind, this.#shell.now());
    this.#early.delete(options.track);
    return track;
  }

  /** @param {number} kid */
  #ask(kid) {
    const named = readKid(kid);
    if (named === null || this.#keys === null) return;
    const { leaf, epoch } = named;
    if (this.#asking.allows(this.#shell.now(), `${leaf} ${epoch}`)) this.#keys.postMessage({ type: 'missing', leaf, epoch });
  }
}
