/**
 * The media of one stay in a call: one RTCPeerConnection, what is sent over it and the seats that receive.
 *
 * Says `state`, `settled` (an offer was answered), `lost` {code} (only a new engine helps). Speaks to the server only through
 * the `offer` function it is given; touches no DOM. `CallStore` makes one for each join and closes it when the stay ends.
 */

/** @import { Seat, SeatOffer, Source, TrackOffer } from '../protocol.js' */
/** @import { CodecChoice } from './codecs.js' */
/** @import { Attach } from './transceivers.js' */

import { audioCodecs, seatVideoCodecs } from './codecs.js';
import { Negotiator } from './negotiation.js';
import { Publisher } from './publish.js';
import { SeatTable, belongsTo, seatsToAdd } from './seats.js';
import { isRelayed } from './stats.js';
import { Transceivers } from './transceivers.js';

/** A short break mends itself; after this long a new path is looked for. */
const DISCONNECTED_PATIENCE_MS = 2_500;
/** A path that is not found by then is looked for again. */
const RESTART_PATIENCE_MS = 8_000;
/** After that many fruitless searches only a new connection helps. */
const MAX_RESTARTS = 3;

/** @typedef {'connecting' | 'connected' | 'broken' | 'closed'} MediaPath */

/**
 * @typedef {object} EngineOptions
 * @property {(offer: { sdp: string, tracks: TrackOffer[], seats: SeatOffer[] }) => Promise<string>} offer resolves with the answer's SDP
 * @property {CodecChoice} codec
 * @property {number | null} cameraWidth
 * @property {RTCIceServer[]} iceServers ways to the server for networks that let nothing through to its media ports
 * @property {Attach} attach
 */

export class CallEngine extends EventTarget {
  #pc;
  #transceivers;
  #publisher;
  #negotiator;
  #seats = new SeatTable(() => performance.now());
  #seatsWanted = 0;
  /** @type {MediaPath} */
  #state = 'connecting';
  #restarts = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  /** @param {EngineOptions} options */
  constructor(options) {
    super();
    this.#pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: options.iceServers });
    this.#transceivers = new Transceivers(this.#pc, options.attach);
    this.#publisher = new Publisher(this.#transceivers, options.codec);
    this.#publisher.addPerson(options.cameraWidth);
    this.#negotiator = new Negotiator(this.#pc, {
      prepare: () => this.#growSeats(),
      send: (sdp) => options.offer({ sdp, tracks: this.#publisher.offers(), seats: this.#seats.offers() }),
      settled: () => this.#settled(),
      failed: (code) => this.#lost(code),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
    });
    this.#pc.onconnectionstatechange = () => this.#connectionChanged();
  }

  /** @returns {MediaPath} */
  get state() {
    return this.#state;
  }

  get seats() {
    return this.#seats;
  }

  /** Make the first offer, or another because the server asked for one. */
  negotiate() {
    this.#negotiator.request();
  }

  /** @param {number} feeds how many feeds of others there are */
  wantSeats(feeds) {
    this.#seatsWanted = feeds;
    if (seatsToAdd(this.#seats.count, feeds) > 0) this.#negotiator.request();
  }

  /** @param {readonly Seat[]} changes */
  applySeats(changes) {
    this.#seats.apply(changes);
  }

  /**
   * Whether the picture that a seat shows now is of the feed that it is said to be.
   * @param {number} index
   */
  verdict(index) {
    const seat = this.#seats.all[index];
    if (!seat?.feed) return 'no';
    const contributing = seat.video.receiver.getContributingSources?.() ?? [];
    return belongsTo(contributing, seat.feed.csrc);
  }

  /**
   * @param {Source} source
   * @param {MediaStreamTrack | null} track
   */
  setTrack(source, track) {
    if (track && (source === 'screen' || source === 'screen_audio') && this.#publisher.addScreen()) this.#negotiator.request();
    return this.#publisher.setTrack(source, track);
  }

  /** @param {Source} source */
  isOffered(source) {
    return this.#publisher.isOffered(source);
  }

  /** The network changed, or the server lost our path: look for a new one. */
  restartIce() {
    if (this.#state === 'closed') return;
    if (this.#restarts >= MAX_RESTARTS) {
      this.#lost('media_blocked');
      return;
    }
    this.#restarts += 1;
    this.#negotiator.restartIce();
    clearTimeout(this.#patience);
    this.#patience = setTimeout(() => this.#state !== 'connected' && this.restartIce(), RESTART_PATIENCE_MS);
  }

  /**
   * New credentials came. What goes through a relay ends with the old ones, so it looks for its path again; everything else goes on.
   * @param {RTCIceServer[]} iceServers
   */
  async renewServers(iceServers) {
    if (this.#state === 'closed') return;
    this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
    if (this.#state === 'connected' && isRelayed(await this.#pc.getStats())) this.#negotiator.restartIce();
  }

  stats() {
    return this.#pc.getStats();
  }

  close() {
    this.#state = 'closed';
    clearTimeout(this.#patience);
    this.#negotiator.close();
    this.#pc.onconnectionstatechange = null;
    this.#pc.close();
  }

  #growSeats() {
    const audio = audioCodecs(RTCRtpReceiver.getCapabilities?.('audio')?.codecs ?? []);
    const video = seatVideoCodecs(RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? []);
    for (let left = seatsToAdd(this.#seats.count, this.#seatsWanted); left > 0; left -= 1) {
      this.#seats.add(this.#transceivers.receive('audio', audio), this.#transceivers.receive('video', video));
    }
  }

  #settled() {
    this.#publisher.settled();
    this.dispatchEvent(new Event('settled'));
    this.wantSeats(this.#seatsWanted);
  }

  #connectionChanged() {
    const { connectionState } = this.#pc;
    clearTimeout(this.#patience);
    if (connectionState === 'connected') {
      this.#restarts = 0;
      this.#enter('connected');
    } else if (connectionState === 'disconnected') {
      this.#enter('broken');
      this.#patience = setTimeout(() => this.restartIce(), DISCONNECTED_PATIENCE_MS);
    } else if (connectionState === 'failed') {
      this.#enter('broken');
      this.restartIce();
    }
  }

  /** @param {MediaPath} state */
  #enter(state) {
    if (this.#state === state || this.#state === 'closed') return;
    this.#state = state;
    this.dispatchEvent(new Event('state'));
  }

  /** @param {string} code */
  #lost(code) {
    if (this.#state === 'closed') return;
    this.dispatchEvent(new CustomEvent('lost', { detail: { code } }));
  }
}
