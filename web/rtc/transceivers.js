/**
 * The one place where an m-line is made. Everything else in the client asks here.
 *
 * Whoever must see every frame before it is sent or shown (end-to-end encryption) passes `attach`; it runs synchronously, straight after
 * `addTransceiver`, because a transform that comes later misses the first frames.
 */

/** @typedef {(transceiver: RTCRtpTransceiver, side: 'send' | 'receive') => void} Attach */

/** For rooms that are not encrypted. @type {Attach} */
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
   * @param {'audio' | 'video'} kind
   * @param {RTCRtpCodec[]} codecs
   * @param {RTCRtpEncodingParameters[]} [sendEncodings]
   */
  send(kind, codecs, sendEncodings) {
    return this.#add(kind, { direction: 'sendonly', ...(sendEncodings ? { sendEncodings } : {}) }, codecs);
  }

  /**
   * @param {'audio' | 'video'} kind
   * @param {RTCRtpCodec[]} codecs
   */
  receive(kind, codecs) {
    return this.#add(kind, { direction: 'recvonly' }, codecs);
  }

  /**
   * @param {'audio' | 'video'} kind
   * @param {RTCRtpTransceiverInit} init
   * @param {RTCRtpCodec[]} codecs empty: the browser's own
   */
  #add(kind, init, codecs) {
    const transceiver = this.#pc.addTransceiver(kind, init);
    this.#attach(transceiver, init.direction === 'sendonly' ? 'send' : 'receive');
    if (codecs.length > 0 && 'setCodecPreferences' in transceiver) transceiver.setCodecPreferences(codecs);
    return transceiver;
  }
}
