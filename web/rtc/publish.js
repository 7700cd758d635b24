/**
 * The sending m-lines: microphone and camera from the first offer on, shared screen and its sound from the first share on.
 *
 * All of them stay for the life of the connection; switching a device off or on replaces the track and negotiates nothing.
 */

/** @import { Source, TrackOffer } from '../protocol.js' */
/** @import { CodecChoice, VideoCodecName } from './codecs.js' */
/** @import { Transceivers } from './transceivers.js' */

import { audioCodecs, sendingVideoCodecs, videoCodecName } from './codecs.js';
import { DEFAULT_CAMERA_WIDTH, cameraEncodings, cameraLayers, scalabilityMode, screenEncodings } from './encodings.js';
import { changeParameters } from './parameters.js';

/** A screen's sound is music or speech at full band; the microphone's rate is left to the browser. */
const SCREEN_AUDIO_BPS = 96_000;

export class Publisher {
  #transceivers;
  #codecs;
  /** @type {Map<Source, RTCRtpTransceiver>} */
  #lines = new Map();
  /** Sources that an answer has covered. @type {Set<Source>} */
  #offered = new Set();

  /**
   * @param {Transceivers} transceivers
   * @param {CodecChoice} choice
   */
  constructor(transceivers, choice) {
    this.#transceivers = transceivers;
    const audio = RTCRtpSender.getCapabilities?.('audio')?.codecs ?? [];
    const video = RTCRtpSender.getCapabilities?.('video')?.codecs ?? [];
    this.#codecs = { audio: audioCodecs(audio), video: sendingVideoCodecs(video, choice) };
  }

  /** @param {number | null} cameraWidth null: no camera yet */
  addPerson(cameraWidth) {
    const { audio, video } = this.#codecs;
    this.#lines.set('microphone', this.#transceivers.send('microphone', audio));
    const encodings = cameraEncodings(cameraWidth ?? DEFAULT_CAMERA_WIDTH, this.#firstCodec());
    this.#lines.set('camera', this.#transceivers.send('camera', video, encodings));
  }

  /** @returns {boolean} whether an offer is needed now */
  addScreen() {
    if (this.#lines.has('screen')) return false;
    const { audio, video } = this.#codecs;
    this.#lines.set('screen', this.#transceivers.send('screen', video, screenEncodings()));
    this.#lines.set('screen_audio', this.#transceivers.send('screen_audio', audio, [{ maxBitrate: SCREEN_AUDIO_BPS }]));
    return true;
  }

  /** For the offer. @returns {TrackOffer[]} */
  offers() {
    return [...this.#lines].map(([source, { mid }]) => ({ mid: mid ?? '', source }));
  }

  /** The answer to the last offer came. */
  settled() {
    for (const source of this.#lines.keys()) this.#offered.add(source);
    this.#avoidScalableStream();
  }

  /**
   * Whether the server knows of a source.
   * @param {Source} source
   */
  isOffered(source) {
    return this.#offered.has(source);
  }

  /**
   * Send this track, or nothing. Does nothing when it is sent already.
   * @param {Source} source
   * @param {MediaStreamTrack | null} track
   */
  async setTrack(source, track) {
    const sender = this.#lines.get(source)?.sender;
    if (!sender || sender.track === track) return;
    await sender.replaceTrack(track);
    if (source === 'camera' && track) await this.#fitLayers(sender, track.getSettings().width || DEFAULT_CAMERA_WIDTH);
  }

  /**
   * Another camera may be smaller or larger than the one the m-line was made for.
   * @param {RTCRtpSender} sender
   * @param {number} width
   */
  #fitLayers(sender, width) {
    return changeParameters(sender, ({ encodings }) => {
      const layers = cameraLayers(encodings.length, width);
      encodings.forEach((encoding, index) => Object.assign(encoding, layers[index]));
      return {};
    });
  }

  /** When a codec was negotiated that would turn simulcast into one scalable stream, say "one layer each". */
  #avoidScalableStream() {
    const sender = this.#lines.get('camera')?.sender;
    if (!sender) return;
    void changeParameters(sender, (parameters) => {
      const [negotiated] = parameters.codecs ?? [];
      const name = negotiated ? videoCodecName(negotiated) : null;
      if (name === null || name === 'VP8') return null;
      const encodings = /** @type {(RTCRtpEncodingParameters & { scalabilityMode?: string })[]} */ (parameters.encodings);
      const mode = scalabilityMode(name);
      if (encodings.every((encoding) => encoding.scalabilityMode === mode || encoding.scalabilityMode === undefined)) return null;
      for (const encoding of encodings) encoding.scalabilityMode = mode;
      return {};
    });
  }

  /** @returns {VideoCodecName} */
  #firstCodec() {
    const first = this.#codecs.video[0];
    return (first && videoCodecName(first)) ?? 'VP8';
  }
}
