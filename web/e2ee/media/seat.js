/**
 * Who may be seen and heard on a receiving track. The server moves people between seats without negotiation and says so over the
 * WebSocket, while their frames come over another way: for a while the frames are still the previous one's.
 *
 * So whoever sat there last is let through for as long as the server may take to switch. Nobody else ever is; and under whose name a
 * picture is shown is decided by the key that opened it (`source` messages), not by what is said here.
 *
 * The other way round, frames of the next one that come before the word of the server are refused, and a keyframe is asked for as soon as
 * a frame of theirs is let through that is none.
 */

/** @import { FeedKind } from '../../protocol.js' */
/** @import { Context } from './interface.js' */

import { contextOf } from './kid.js';

/** A picture goes on until the keyframe of the next one: the server gives up a switch after 5 s (`SWITCH_TIMEOUT` of the media core); the rest is for the two ways. */
export const SWITCH_MS = 6_000;
/** Sound is switched at once: this is for what was on its way, and came a second time. Nothing shows whose voice it is, so it is as short as may be. */
export const SOUND_SWITCH_MS = 1_000;
/** Changes of one seat within that time. Beyond it the oldest is let through no longer. */
const MAX_PREVIOUS = 4;

/** @typedef {{ owner: string, context: Context }} Sitting */

export class Seat {
  /** @type {Sitting | null} */
  #now = null;
  /** Newest last. @type {(Sitting & { until_ms: number })[]} */
  #previous = [];

  /**
   * @param {{ owner: string, kind: FeedKind } | null} feed
   * @param {'audio' | 'video'} kind
   * @param {number} now
   */
  take(feed, kind, now) {
    const next = feed && { owner: feed.owner, context: contextOf(feed.kind, kind) };
    if (this.#now && next && isSame(this.#now, next)) return;
    if (this.#now) this.#previous = [...this.#previous, { ...this.#now, until_ms: now + (kind === 'audio' ? SOUND_SWITCH_MS : SWITCH_MS) }].slice(-MAX_PREVIOUS);
    this.#now = next;
  }

  /**
   * @param {Sitting} sealedBy
   * @param {number} now
   */
  admits(sealedBy, now) {
    if (this.#now && isSame(this.#now, sealedBy)) return true;
    return this.#previous.some((each) => now < each.until_ms && isSame(each, sealedBy));
  }
}

/**
 * @param {Sitting} one
 * @param {Sitting} other
 */
function isSame(one, other) {
  return one.owner === other.owner && one.context === other.context;
}
