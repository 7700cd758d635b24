/**
 * How many layers the camera is sent in, how large and at what rate. Pure.
 *
 * The number of layers is fixed when the m-line is made; Chromium silently drops the *last* layers of a picture that is too small for
 * them (under 480 px one, under 960 px two), so that number follows the capture's width, and a smaller camera plugged in later moves
 * the scale of the layers that remain.
 */

/** @import { VideoCodecName } from './codecs.js' */

/** Rates at which each layer looks good at 30 frames a second; higher ones cost every receiver. */
const LOW_BPS = 150_000;
const MIDDLE_BPS = 500_000;
const HIGH_BPS = 1_700_000;
const SCREEN_BPS = 2_500_000;
/** Text stays sharp; motion in a shared screen is secondary. */
export const SCREEN_FRAME_RATE = 15;
/** What an unknown camera is taken for. */
export const DEFAULT_CAMERA_WIDTH = 640;
const THREE_LAYERS_FROM_WIDTH = 960;
const TWO_LAYERS_FROM_WIDTH = 480;

/** @typedef {{ active: boolean, maxBitrate: number, scaleResolutionDownBy: number }} Layer */

/**
 * @param {number} width of the captured picture, pixels
 * @returns {number} layers to make the m-line with
 */
export function layerCount(width) {
  if (width >= THREE_LAYERS_FROM_WIDTH) return 3;
  return width >= TWO_LAYERS_FROM_WIDTH ? 2 : 1;
}

/**
 * The layers of an m-line made for `count`, now that the camera delivers `width`.
 * @param {number} count
 * @param {number} width
 * @returns {Layer[]} smallest first
 */
export function cameraLayers(count, width) {
  const used = Math.min(count, layerCount(width));
  const top = width >= THREE_LAYERS_FROM_WIDTH ? HIGH_BPS : width >= TWO_LAYERS_FROM_WIDTH ? MIDDLE_BPS * 1.6 : MIDDLE_BPS;
  const rates = { 1: [top], 2: [used === 2 && width < THREE_LAYERS_FROM_WIDTH ? LOW_BPS : MIDDLE_BPS, top], 3: [LOW_BPS, MIDDLE_BPS, top] }[used] ?? [top];
  return Array.from({ length: count }, (_, index) => {
    if (index >= used) return { active: false, maxBitrate: LOW_BPS, scaleResolutionDownBy: 1 };
    return { active: true, maxBitrate: rates[index] ?? top, scaleResolutionDownBy: 2 ** (used - 1 - index) };
  });
}

/**
 * `sendEncodings` for the camera's m-line.
 * @param {number} width
 * @param {VideoCodecName} firstCodec the one most likely negotiated
 * @returns {RTCRtpEncodingParameters[]}
 */
export function cameraEncodings(width, firstCodec) {
  const count = layerCount(width);
  const rids = /** @type {Record<number, string[]>} */ ({ 1: [], 2: ['h', 'f'], 3: ['q', 'h', 'f'] })[count] ?? [];
  return cameraLayers(count, width).map((layer, index) => {
    const rid = rids[index];
    return withScalability({ ...layer, ...(rid === undefined ? {} : { rid }) }, firstCodec);
  });
}

/** `sendEncodings` for a shared screen. @returns {RTCRtpEncodingParameters[]} */
export function screenEncodings() {
  return [withScalability({ maxBitrate: SCREEN_BPS, maxFramerate: SCREEN_FRAME_RATE }, 'VP9')];
}

/**
 * VP9 and AV1 must say "one spatial layer", or Chromium turns several encodings into one scalable stream (SVC) instead of simulcast.
 * VP8 keeps three temporal layers, which the server can thin out.
 * @param {VideoCodecName} codec
 */
export function scalabilityMode(codec) {
  return codec === 'VP8' ? 'L1T3' : 'L1T1';
}

/**
 * @param {RTCRtpEncodingParameters} encoding
 * @param {VideoCodecName} codec
 * @returns {RTCRtpEncodingParameters}
 */
function withScalability(encoding, codec) {
  return /** @type {RTCRtpEncodingParameters} */ ({ ...encoding, scalabilityMode: scalabilityMode(codec) });
}
