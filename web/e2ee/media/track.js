/**
 * The tracks of a call: an own one that is sealed, a seat that is opened. Each counts what becomes of its frames.
 *
 * A step never rejects and never waits for anything but WebCrypto: a frame that is not understood, or a fault here, costs that frame.
 */

/** @import { Context, Counter, EncodedFrame, TrackReport, Transformer } from './interface.js' */
/** @import { KeyRing } from './keys.js' */

import { zeros } from './counters.js';
import { Hold } from './hold.js';
import { openFrame } from './opening.js';
import { Pace } from './pace.js';
import { sealFrame } from './sealing.js';
import { Seat } from './seat.js';

/** Each costs the publisher a whole picture. */
export const KEYFRAME_INTERVAL_MS = 1_000;
/** Whoever begins to seal under keys that newcomers have sends a whole picture by itself: it is not asked for before it can be here. */
export const GREETING_MS = 200;

/**
 * @typedef {object} Surroundings
 * @property {KeyRing} ring
 * @property {() => number} now milliseconds
 * @property {(kid: number) => void} missing
 * @property {(within_ms: number) => Promise<boolean>} more whether more keys came within this time
 * @property {(track: string) => void} keyframe the next picture of a track that is sent is to be a whole one
 * @property {(track: string, owner: string, context: Context) => void} source the frames of a track are of somebody else from now on
 */

/** What both kinds have: their counters, and the clock around a step. */
class Track {
  counters = zeros();
  #busy_ms = 0;

  /**
   * @param {string} name
   * @param {Surroundings} around
   */
  constructor(name, around) {
    this.name = name;
    this.around = around;
  }

  get busy_ms() {
    return this.#busy_ms;
  }

  /** What a step waited for keys. */
  waited_ms() {
    return 0;
  }

  /** @param {() => Promise<ArrayBuffer | Counter>} work */
  async counted(work) {
    const start = this.around.now() - this.waited_ms();
    const outcome = await work().catch(() => /** @type {Counter} */ ('failed'));
    this.#busy_ms += this.around.now() - this.waited_ms() - start;
    if (typeof outcome !== 'string') return outcome;
    this.counters[outcome] += 1;
    return null;
  }
}

export class SendingTrack extends Track {
  #keyframes = new Pace(KEYFRAME_INTERVAL_MS, 1);

  /**
   * @param {string} name
   * @param {Context} context
   * @param {Pick<Transformer, 'generateKeyFrame'>} transformer
   * @param {Surroundings} around
   */
  constructor(name, context, transformer, around) {
    super(name, around);
    this.context = context;
    this.transformer = transformer;
  }

  /** @param {EncodedFrame} frame */
  step = (frame) =>
    this.counted(async () => {
      const outcome = await sealFrame(this.around.ring, this.context, frame, this.around.now());
      if (typeof outcome !== 'string') this.counters.sealed += 1;
      return outcome;
    });

  /** Newcomers can open what is sealed from now on: with a whole picture they begin at once, and need not ask. */
  greet() {
    if (this.context === 'microphone' || this.context === 'screen_audio' || !this.#keyframes.allows(this.around.now())) return;
    // Chromium 156 makes one at the word of the page only.
    if (this.transformer.generateKeyFrame) void this.transformer.generateKeyFrame().catch(() => {});
    else this.around.keyframe(this.name);
  }

  /** @returns {TrackReport} */
  report() {
    return { track: this.name, side: 'send', owner: null, context: this.context, counters: { ...this.counters }, keyframes_asked: 0, busy_ms: this.busy_ms };
  }
}

export class ReceivingTrack extends Track {
  seat = new Seat();
  /** Of the frame opened last. @type {{ owner: string, context: Context } | null} */
  #source = null;
  /** The decoder lacks something that only a keyframe brings, and it can be asked for from then on. Not after a replay: browsers send packets again as padding. @type {{ by: 'key' | 'frame', since_ms: number | null } | null} */
  #broken = { by: 'frame', since_ms: null };
  #hold;
  #keyframes = new Pace(KEYFRAME_INTERVAL_MS, 1);
  #keyframesAsked = 0;

  /**
   * @param {string} name
   * @param {'audio' | 'video'} kind
   * @param {Pick<Transformer, 'sendKeyFrameRequest'>} transformer
   * @param {Surroundings} around
   */
  constructor(name, kind, transformer, around) {
    super(name, around);
    this.kind = kind;
    this.transformer = transformer;
    this.#hold = new Hold(around.ring, around.now, around.more);
  }

  waited_ms() {
    return this.#hold.waited_ms;
  }

  /** @param {EncodedFrame} frame */
  step = (frame) =>
    this.counted(async () => {
      const outcome = await this.#open(frame).finally(() => this.#hold.done());
      if (typeof outcome === 'string') {
        if (outcome !== 'replayed') this.#broken = { by: outcome === 'no_key' ? 'key' : 'frame', since_ms: null };
        return outcome;
      }
      this.counters.opened += 1;
      this.#shows(outcome.owner, outcome.context);
      if (this.kind === 'video') this.#mend(frame.type === 'key');
      return outcome.plain;
    });

  /** An epoch has begun. */
  begin() {
    this.#hold.begin();
  }

  /** @param {EncodedFrame} frame */
  async #open(frame) {
    for (;;) {
      /** @type {number[]} */
      const missing = [];
      const outcome = await openFrame(this.around.ring, this.seat, frame, this.around.now(), (kid) => void missing.push(kid));
      const [kid] = missing;
      if (kid === undefined) return outcome;
      this.around.missing(kid);
      if (!(await this.#hold.wait(kid))) return outcome;
    }
  }

  /** @returns {TrackReport} */
  report() {
    const { owner, context } = this.#source ?? { owner: null, context: null };
    const counters = { ...this.counters };
    return { track: this.name, side: 'receive', owner, context, counters, keyframes_asked: this.#keyframesAsked, busy_ms: this.busy_ms };
  }

  /**
   * @param {string} owner
   * @param {Context} context
   */
  #shows(owner, context) {
    if (this.#source?.owner === owner && this.#source.context === context) return;
    this.#source = { owner, context };
    this.around.source(this.name, owner, context);
  }

  // Asked for once frames can be opened again, not while none can: then it would bring another frame that cannot.
  /** @param {boolean} isKey */
  #mend(isKey) {
    if (isKey) this.#broken = null;
    if (this.#broken === null) return;
    const now = this.around.now();
    this.#broken.since_ms ??= now;
    if (this.#broken.by === 'key' && now - this.#broken.since_ms < GREETING_MS) return;
    if (!this.#keyframes.allows(now)) return;
    this.#keyframesAsked += 1;
    void this.transformer.sendKeyFrameRequest().catch(() => {});
  }
}
