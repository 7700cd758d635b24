/**
 * Which codecs are offered, and in which order. Pure; takes what the browser says it can do.
 *
 * Only named codecs are offered: it halves the offer, and the server forwards nothing else. The order on the camera's and the
 * screen's m-line is the publisher's wish; the server picks the first that everybody in the call decodes.
 */

/** @typedef {{ mimeType: string, sdpFmtpLine?: string, clockRate?: number, channels?: number }} Codec */
/** @typedef {'VP8' | 'VP9' | 'H264' | 'AV1'} VideoCodecName */
/** @typedef {'automatic' | VideoCodecName} CodecChoice */

/** Automatic order: VP8 costs the least and everybody has it; AV1 comes last because encoding it costs the most. @type {VideoCodecName[]} */
export const VIDEO_CODECS = ['VP8', 'H264', 'VP9', 'AV1'];

/**
 * Everything that may stand on a sending video m-line, the wished codec first.
 * @template {Codec} C
 * @param {readonly C[]} capabilities
 * @param {CodecChoice} choice
 * @returns {C[]}
 */
export function sendingVideoCodecs(capabilities, choice) {
  const order = choice === 'automatic' ? VIDEO_CODECS : [choice, ...VIDEO_CODECS.filter((name) => name !== choice)];
  return [...order.flatMap((name) => capabilities.filter((codec) => videoCodecName(codec) === name)), ...retransmission(capabilities)];
}

/**
 * Everything that a seat may receive.
 * @template {Codec} C
 * @param {readonly C[]} capabilities
 * @returns {C[]}
 */
export function seatVideoCodecs(capabilities) {
  return sendingVideoCodecs(capabilities, 'automatic');
}

/**
 * @template {Codec} C
 * @param {readonly C[]} capabilities
 * @returns {C[]}
 */
export function audioCodecs(capabilities) {
  return capabilities.filter((codec) => codec.mimeType.toLowerCase() === 'audio/opus');
}

/**
 * What a person can choose from.
 * @param {readonly Codec[]} capabilities
 * @returns {VideoCodecName[]}
 */
export function sendableCodecs(capabilities) {
  return VIDEO_CODECS.filter((name) => capabilities.some((codec) => videoCodecName(codec) === name));
}

/**
 * The codec's short name, or null for a variant that is never offered.
 * A missing profile means the default one (RFC 9628 §6, AV1 RTP §7.2): Firefox leaves it out.
 * @param {Codec} codec
 * @returns {VideoCodecName | null}
 */
export function videoCodecName(codec) {
  const format = new Map((codec.sdpFmtpLine ?? '').split(';').map((part) => /** @type {[string, string]} */ (part.trim().split('='))));
  switch (codec.mimeType.toLowerCase()) {
    case 'video/vp8':
      return 'VP8';
    case 'video/vp9':
      return (format.get('profile-id') ?? '0') === '0' ? 'VP9' : null;
    case 'video/av1':
      return (format.get('profile') ?? '0') === '0' ? 'AV1' : null;
    case 'video/h264':
      return format.get('packetization-mode') === '1' && /^42e0/i.test(format.get('profile-level-id') ?? '') ? 'H264' : null;
    default:
      return null;
  }
}

/**
 * @template {Codec} C
 * @param {readonly C[]} capabilities
 * @returns {C[]}
 */
function retransmission(capabilities) {
  return capabilities.filter((codec) => codec.mimeType.toLowerCase() === 'video/rtx');
}
