/**
 * Who sits where: the bookkeeping of this client's seats. A seat is a receiving pair of m-lines that the server fills with anybody's
 * feed, without negotiation; `seats` events say with whose.
 *
 * Touches no DOM. Views ask for the tracks of a feed and, before they show a picture under a name, whether the frames are that feed's.
 */

/** @import { FeedKind, Seat, SeatFeed, SeatOffer } from '../protocol.js' */

/** Seats of the first offer: enough for most calls, and quick to set up. */
export const FIRST_SEATS = 8;
/** More at once makes running sound crackle (measured: 41 at once lost 100 ms). */
export const SEAT_STEP = 8;
/** The server takes no more. */
export const MAX_SEATS = 48;

/** @typedef {{ mid: string | null, receiver: RTCRtpReceiver }} ReceivingLine the part of a transceiver that a seat needs */
/** @typedef {{ index: number, audio: ReceivingLine, video: ReceivingLine, feed: SeatFeed | null, seatedAtMs: number, usedBefore: boolean }} SeatState */

/**
 * @param {number} have
 * @param {number} wanted feeds of others: people and shared screens
 * @returns {number} seats to add now; the rest follow after the next answer
 */
export function seatsToAdd(have, wanted) {
  if (have === 0) return FIRST_SEATS;
  if (wanted <= have) return 0;
  return Math.min(SEAT_STEP, MAX_SEATS - have);
}

/**
 * Whether the frames that a receiver plays now are the feed's.
 * @param {readonly { source: number, timestamp: number }[]} contributing `getContributingSources()`
 * @param {number} csrc
 * @returns {'yes' | 'no' | 'unknown'} unknown where the browser or the packets do not say
 */
export function belongsTo(contributing, csrc) {
  let latest = null;
  for (const entry of contributing) if (latest === null || entry.timestamp > latest.timestamp) latest = entry;
  if (latest === null) return 'unknown';
  return latest.source === csrc ? 'yes' : 'no';
}

export class SeatTable {
  /** @type {SeatState[]} */
  #seats = [];
  #now;

  /** @param {() => number} now milliseconds */
  constructor(now) {
    this.#now = now;
  }

  get count() {
    return this.#seats.length;
  }

  /** Every seat, in the order of the offer. @returns {readonly SeatState[]} */
  get all() {
    return this.#seats;
  }

  /**
   * @param {ReceivingLine} audio
   * @param {ReceivingLine} video
   */
  add(audio, video) {
    this.#seats.push({ index: this.#seats.length, audio, video, feed: null, seatedAtMs: 0, usedBefore: false });
  }

  /** For the offer. Every m-line has its `mid` by then. @returns {SeatOffer[]} */
  offers() {
    return this.#seats.map(({ audio, video }) => ({ audio_mid: audio.mid ?? '', video_mid: video.mid ?? '' }));
  }

  /**
   * Take a `seats` event. A seat that this client does not have is ignored.
   * @param {readonly Seat[]} changes
   */
  apply(changes) {
    for (const { seat: index, feed } of changes) {
      const seat = this.#seats[index];
      if (!seat) continue;
      if (seat.feed !== null) seat.usedBefore = true;
      seat.feed = feed;
      seat.seatedAtMs = this.#now();
    }
  }

  /**
   * @param {string} participant
   * @param {FeedKind} kind
   * @returns {SeatState | null}
   */
  find(participant, kind) {
    return this.#seats.find(({ feed }) => feed?.participant === participant && feed.kind === kind) ?? null;
  }
}
