/**
 * One RTCPeerConnection that tries one way to the server and says whether it got there, and if not, how far.
 *
 * Keeps nothing and closes what it opened. Speaks to the server only through the `enter` function it is given; touches no DOM.
 */

/** @import { SeatOffer, TrackOffer } from '../protocol.js' */
/** @import { Candidate } from './ways.js' */

import { audioCodecs, seatVideoCodecs } from './codecs.js';
import { SeatTable } from './seats.js';
import { Transceivers, attachNothing } from './transceivers.js';
import { withCandidates } from './ways.js';

/** A direct way is found in tens of milliseconds; two lost checks in a row cost one second. */
export const DIRECT_PATIENCE_MS = 5_000;
/** A relay is asked twice before it is used, over TLS after four more round trips. */
export const RELAY_PATIENCE_MS = 8_000;

/** How long the last candidate that was found is given, where those before it have failed. */
const LAST_MS = 1_000;

/** Why a way does not work, with a code that the catalogue has a text for. */
export class ProbeError extends Error {
  /**
   * @param {string} code
   * @param {number | null} [port] the server's, where it is known
   */
  constructor(code, port = null) {
    super(code);
    this.name = 'ProbeError';
    this.code = code;
    this.port = port;
  }
}

/** @typedef {(offer: { sdp: string, tracks: TrackOffer[], seats: SeatOffer[] }) => Promise<string>} Enter resolves with the answer's SDP */

/**
 * @typedef {object} Way
 * @property {(candidate: Candidate) => boolean} keep the candidates of the answer to try
 * @property {RTCIceServer[]} relays none: the direct way; else these and nothing but these
 */

/**
 * @param {Way} way
 * @param {Enter} enter
 * @param {AbortSignal} signal
 * @returns {Promise<{ port: number, tookMs: number }>} rejects with a ProbeError, or with what `enter` rejected with
 */
export async function tryWay({ keep, relays }, enter, signal) {
  const relayed = relays.length > 0;
  const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers: relays, iceTransportPolicy: relayed ? 'relay' : 'all' });
  try {
    const seats = oneSeat(pc);
    const gathered = watchGathering(pc);
    await pc.setLocalDescription();
    const answer = withCandidates(await enter({ sdp: pc.localDescription?.sdp ?? '', tracks: [], seats: seats.offers() }), keep);
    signal.throwIfAborted();
    const port = answer.kept[0]?.port;
    if (port === undefined) throw new ProbeError('not_offered');
    const startedMs = performance.now();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
    const outcome = await connected(pc, signal, relayed ? RELAY_PATIENCE_MS : DIRECT_PATIENCE_MS);
    if (outcome !== 'connected') throw new ProbeError(outcome === 'no_path' && relayed ? gathered.reason() : outcome, port);
    return { port, tookMs: Math.round(performance.now() - startedMs) };
  } finally {
    pc.close();
  }
}

/**
 * Offers to receive one person: the least that the server answers.
 * @param {RTCPeerConnection} pc
 */
export function oneSeat(pc) {
  const transceivers = new Transceivers(pc, attachNothing);
  const seats = new SeatTable(() => performance.now());
  const audio = audioCodecs(RTCRtpReceiver.getCapabilities?.('audio')?.codecs ?? []);
  const video = seatVideoCodecs(RTCRtpReceiver.getCapabilities?.('video')?.codecs ?? []);
  seats.add(transceivers.receive('audio', audio), transceivers.receive('video', video));
  return seats;
}

/**
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal
 * @param {number} withinMs
 * @returns {Promise<'connected' | 'no_path' | 'handshake_failed'>} rejects when it is stopped
 */
export async function connected(pc, signal, withinMs) {
  signal.throwIfAborted();
  const over = new AbortController();
  const state = await new Promise((resolve) => {
    const look = () => isSettled(pc) && resolve(pc.connectionState);
    const timer = setTimeout(() => resolve('late'), withinMs);
    over.signal.addEventListener('abort', () => clearTimeout(timer));
    pc.addEventListener('connectionstatechange', look, { signal: over.signal });
    pc.addEventListener('icegatheringstatechange', () => setTimeout(look, LAST_MS), { signal: over.signal });
    signal.addEventListener('abort', () => resolve('stopped'), { signal: over.signal });
    look();
  });
  over.abort();
  signal.throwIfAborted();
  if (state === 'connected') return 'connected';
  return ['connected', 'completed'].includes(pc.iceConnectionState) ? 'handshake_failed' : 'no_path';
}

/**
 * Chromium says that it failed as soon as the candidates that it has do, though others are on their way (not so RFC 8838 §8): over TCP, of
 * which the connection from one of several interfaces is refused before the next one is begun.
 * @param {RTCPeerConnection} pc
 */
function isSettled({ connectionState, iceGatheringState }) {
  return connectionState === 'failed' ? iceGatheringState === 'complete' : ['connected', 'closed'].includes(connectionState);
}

/**
 * How far a relay let us come.
 * @param {RTCPeerConnection} pc
 */
function watchGathering(pc) {
  let hasRelay = false;
  let refused = false;
  pc.addEventListener('icecandidate', ({ candidate }) => {
    hasRelay ||= candidate?.type === 'relay';
  });
  pc.addEventListener('icecandidateerror', (event) => {
    // 701 means that the relay was not reached; what is below is its own answer (RFC 8656 §14.8).
    refused ||= /** @type {RTCPeerConnectionIceErrorEvent} */ (event).errorCode < 700;
  });
  return { reason: () => (hasRelay ? 'no_path' : refused ? 'relay_refused' : 'relay_unreachable') };
}
