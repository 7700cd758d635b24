/** The number of a key: which source of which leaf in which epoch, in 23 bits (RFC 9605 §5.2 says how MLS groups lay it out). */

/** @import { FeedKind } from '../../protocol.js' */
/** @import { Context } from './interface.js' */

/** In the order of their numbers. @type {readonly Context[]} */
export const CONTEXTS = ['microphone', 'camera', 'screen', 'screen_audio'];
/** Twelve bits. A call is smaller by far. */
export const MAX_LEAF = 2 ** 12 - 1;
/** Of an epoch's number only the lowest byte travels: old keys are gone long before it comes round. */
export const EPOCHS = 2 ** 8;
const MAX_KID = 2 ** 23 - 1;

/**
 * @param {Context} context
 * @param {number} leaf
 * @param {number} epoch
 */
export function kidOf(context, leaf, epoch) {
  return CONTEXTS.indexOf(context) * (MAX_LEAF + 1) * EPOCHS + leaf * EPOCHS + (epoch % EPOCHS);
}

/**
 * @param {number} kid
 * @returns {{ context: Context, leaf: number, epoch: number } | null} `epoch`: its lowest byte; null: none of ours
 */
export function readKid(kid) {
  const context = CONTEXTS[kid >> 20];
  if (kid > MAX_KID || context === undefined) return null;
  return { context, leaf: (kid >> 8) & MAX_LEAF, epoch: kid & (EPOCHS - 1) };
}

/**
 * What a receiving line carries while this kind of feed sits on it.
 * @param {FeedKind} feed
 * @param {'audio' | 'video'} kind
 * @returns {Context}
 */
export function contextOf(feed, kind) {
  if (feed === 'screen') return kind === 'video' ? 'screen' : 'screen_audio';
  return kind === 'video' ? 'camera' : 'microphone';
}
