/**
 * A stay in an encrypted call: the media worker that seals and opens its frames, the group of the call that gives the keys, and who is proven to
 * be on each seat. One for each join; what it cannot go on with ends it, and the call is joined anew.
 *
 * Says `lock` when what the lock shows did, `seats` when it became known whose frames a seat shows, `people` when who is in the group is otherwise
 * than before, `ended` {code} when it cannot go on: `encryption_stopped`, or null where the keys are the reason.
 */

/** @import { Report } from '../e2ee/media/interface.js' */
/** @import { MediaShield } from '../e2ee/media/page.js' */
/** @import { FeedKind, GroupInfo, Participant, SeatFeed, Source } from '../protocol.js' */
/** @import { SeatState } from '../rtc/seats.js' */
/** @import { KeysAccount } from './keys/account.js' */
/** @import { CallGroup } from './keys/call-group.js' */
/** @import { OnlyWindow } from './browser-lock.js' */

import { lockOf } from '../e2ee/media/counters.js';
import { makeKeyframe } from '../rtc/parameters.js';

/** How often it is looked at what was sealed and opened. */
const REPORT_MS = 1_000;
/** How long it is to be seen that something was not sealed. */
const ATTACKED_MS = 10_000;
/** A media worker that has answered for so long was loaded and does its work: shorter would let one that fails over the first frames be begun without end. */
const GOOD_MS = 10_000;
/** As the frames of a feed's picture say what they are of. @type {Record<FeedKind, Source>} */
const PICTURE_OF = { person: 'camera', screen: 'screen' };

/**
 * `waiting`: the keys are not there yet; the others as `lockOf` says.
 * @typedef {'waiting' | 'closed' | 'idle' | 'attacked'} Lock
 */

export class ShieldedStay extends EventTarget {
  #shield;
  #port;
  #hold;
  #sound;
  /** @type {CallGroup | null} */
  #group = null;
  /** The names of the tracks that receive. @type {Map<RTCRtpReceiver, string>} */
  #tracks = new Map();
  /** What the media worker was told of each. @type {Map<string, string>} */
  #told = new Map();
  /** Whose frames a track shows, proven by their key. @type {Map<string, { owner: string, context: Source }>} */
  #shown = new Map();
  /** @type {Report | null} */
  #report = null;
  #reports = 0;
  /** @type {Lock} */
  #lock = 'waiting';
  /** Reports until what was seen last need not be shown any more. */
  #alarm = 0;
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {() => Promise<void>} */
  #leave = async () => {};

  /**
   * @param {MediaShield} shield
   * @param {MessagePort} port the end of the shield's port of keys
   * @param {OnlyWindow | null} hold keeps other windows of this browser out of the call until it ends
   * @param {Promise<void>} sound rejects with a `code` where the person has to decide something first
   */
  constructor(shield, port, hold, sound = Promise.resolve()) {
    super();
    this.#shield = shield;
    this.#port = port;
    this.#hold = hold;
    this.#sound = sound;
    shield.addEventListener('source', (event) => {
      const { track, owner, context } = /** @type {CustomEvent} */ (event).detail;
      this.#shown.set(track, { owner, context });
      this.dispatchEvent(new Event('seats'));
    });
    shield.addEventListener('keyframe', (event) => void makeKeyframe(/** @type {CustomEvent} */ (event).detail.sender));
    shield.addEventListener('fault', () => this.#over('encryption_stopped'));
  }

  get lock() {
    return this.#lock;
  }

  /** Whether it went on for long enough that what ended it says nothing of the next one. */
  get wasGood() {
    return this.#reports >= GOOD_MS / REPORT_MS;
  }

  /** Whoever joined ahead of it says nothing before. Rejects with a `code` where another window of this browser is in the call, or the person has to decide something. @returns {Promise<unknown>} */
  get allowed() {
    return Promise.all([this.#hold?.held, this.#sound]);
  }

  /**
   * For every m-line, straight after it was made.
   * @param {RTCRtpTransceiver} transceiver
   * @param {Source | 'audio' | 'video'} what a source that is sent, or the kind that is received
   */
  attach(transceiver, what) {
    if (what === 'audio' || what === 'video') this.#tracks.set(transceiver.receiver, this.#shield.opening(transceiver.receiver, what));
    else this.#shield.sealing(transceiver.sender, what);
  }

  /**
   * Comes into the group of the call, whose keys then go to the media worker.
   * @param {KeysAccount} account
   * @param {string} call
   * @param {{ room: string, participant: string }} stay
   * @param {GroupInfo | null} told what the server said of that group as it let this participant in
   */
  async start(account, call, stay, told) {
    const group = account.stayIn(call, stay, { over: () => this.#over(null), epoch: () => this.dispatchEvent(new Event('people')) });
    this.#group = group;
    this.#leave = () => account.leave(call, group);
    group.connect(this.#port);
    await group.enter(told);
    if (this.#ended) return;
    this.#become('idle');
    this.#watch();
  }

  /** Everybody in the call. @param {readonly Participant[]} participants */
  present(participants) {
    this.#group?.present(new Set(participants.map(({ participant }) => participant)));
  }

  /** As the server says it. @param {readonly SeatState[]} seats */
  seat(seats) {
    for (const { audio, video, feed } of seats) {
      for (const { receiver } of [audio, video]) this.#tell(this.#tracks.get(receiver), feed);
    }
  }

  /**
   * Whether the picture on a seat is of the feed that it is said to be: by the key that its frames opened under, and by whom the group says to
   * be behind it.
   * @param {SeatState} seat
   * @param {Participant | null} participant as the server shows it
   * @returns {'yes' | 'no'}
   */
  verdict({ video, feed }, participant) {
    const shown = this.#shown.get(this.#tracks.get(video.receiver) ?? '');
    if (!feed || !shown || !participant) return 'no';
    const isFeed = shown.owner === feed.participant && shown.context === PICTURE_OF[feed.kind];
    return isFeed && this.#group?.userOf(shown.owner) === participant.user ? 'yes' : 'no';
  }

  /** Whether the group says that this participant is the user whom the server says. @param {Participant} participant */
  isProven({ participant, user }) {
    return this.#group?.userOf(participant) === user;
  }

  /** What all in this call see alike, if nobody stands between; null before this device is in its group. */
  async emoji() {
    return (await this.#group?.emoji()) ?? null;
  }

  end() {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#shield.close();
    this.#hold?.release();
    void this.#leave();
  }

  /** @param {string | undefined} track @param {SeatFeed | null} feed */
  #tell(track, feed) {
    if (track === undefined) return;
    const text = feed === null ? '' : `${feed.participant} ${feed.kind}`;
    if (this.#told.get(track) === text) return;
    this.#told.set(track, text);
    this.#shield.seat(track, feed === null ? null : { owner: feed.participant, kind: feed.kind });
  }

  #watch() {
    this.#timer = setTimeout(async () => {
      const report = await this.#shield.report();
      if (this.#ended) return;
      const lock = lockOf(this.#report, report);
      this.#alarm = lock === 'attacked' ? ATTACKED_MS / REPORT_MS : Math.max(0, this.#alarm - 1);
      this.#become(this.#alarm > 0 ? 'attacked' : lock);
      this.#report = report;
      this.#reports += 1;
      this.#watch();
    }, REPORT_MS);
  }

  /** @param {Lock} lock */
  #become(lock) {
    if (lock === this.#lock) return;
    this.#lock = lock;
    this.dispatchEvent(new Event('lock'));
  }

  /** @param {'encryption_stopped' | null} code */
  #over(code) {
    if (!this.#ended) this.dispatchEvent(new CustomEvent('ended', { detail: { code } }));
  }
}
