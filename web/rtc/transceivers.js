/**
 * The one place where an m-line is made. Everything else in the client asks here.
 *
 * Whoever must see every frame before it is sent or shown (end-to-end encryption) passes `attach`; it runs synchronously, straight after
 * `addTransceiver`, because a transform that comes later misses the first frames.
 */

/** @import { Source } from '../protocol.js' */

/** `what`: the source that is sent, or the kind that is received. @typedef {(transceiver: RTCRtpTransceiver, what: Source | 'audio' | 'video') => void} Attach */

/** For what is never encrypted: the tests of the network. @type {Attach} */
export const attachNothing = () => {};

export class Transceivers {
  #pc;
  #attach;

  /**
   * @param {RTCPeerConnection} pc
   * @param {Attach} attach
   */
  constructor(pc, attach) {
    this.#pc = pc;
    this.#attach = attach;
  }

  /**
   * @param {Source} source
   * @param {RTCRtpCodec[]} codecs
   * @param {RTCRtpEncodingParameters[]} [sendEncodings]
   */
  send(source, codecs, sendEncodings) {
    const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
    return this.#add(kind, source, { direction: 'sendonly', ...(sendEncodings ? { sendEncodings } : {}) }, codecs);
  }

  /**
   * @param {'audio' | 'video'} kind
   * @param {RTCRtpCodec[]} codecs
   */
  receive(kind, codecs) {
    return this.#add(kind, kind, { direction: 'recvonly' }, codecs);
  }

  /**
   * @param {'audio' | 'video'} kind
   * @param {Source | 'audio' | 'video'} what
   * @param {RTCRtpTransceiverInit} init
   * @param {RTCRtpCodec[]} codecs empty: the browser's own
   */
  #add(kind, what, init, codecs) {
    const transceiver = this.#pc.addTransceiver(kind, init);
    this.#attach(transceiver, what);
    if (codecs.length > 0 && 'setCodecPreferences' in transceiver) transceiver.setCodecPreferences(codecs);
    return transceiver;
  }
}
