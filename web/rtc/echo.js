/**
 * A call with oneself through the server: one connection sends, another receives in a seat, and five seconds of both are measured.
 */

/** @import { Figures } from '../api.js' */
/** @import { Enter } from './probe.js' */
/** @import { Report } from './stats.js' */

import { ProbeError, RELAY_PATIENCE_MS, connected, oneSeat } from './probe.js';
import { Publisher } from './publish.js';
import { Transceivers, attachNothing } from './transceivers.js';

/** From both connections to the first packets of both kinds; a keyframe that is lost is asked for again within a second. */
const MEDIA_PATIENCE_MS = 5_000;
const POLL_MS = 100;
/** Several reports of the receiver (RFC 3550 §6.2) and a steady bitrate. */
export const MEASURE_MS = 5_000;

/**
 * @typedef {object} EchoOptions
 * @property {Enter} enter
 * @property {RTCIceServer[]} iceServers as for a call
 * @property {{ microphone: MediaStreamTrack, camera: MediaStreamTrack }} tracks
 * @property {(track: MediaStreamTrack) => void} picture called when the picture comes back
 * @property {AbortSignal} signal
 */

/**
 * @param {EchoOptions} options
 * @returns {Promise<Figures>} rejects with a ProbeError, or with what `enter` rejected with
 */
export async function echo({ enter, iceServers, tracks, picture, signal }) {
  const configuration = /** @type {RTCConfiguration} */ ({ bundlePolicy: 'max-bundle', iceServers });
  const [sending, receiving] = [new RTCPeerConnection(configuration), new RTCPeerConnection(configuration)];
  try {
    const seats = oneSeat(receiving);
    await exchange(receiving, (sdp) => enter({ sdp, tracks: [], seats: seats.offers() }), signal);
    const publisher = new Publisher(new Transceivers(sending, attachNothing), 'automatic');
    publisher.addPerson(tracks.camera.getSettings().width ?? null);
    await Promise.all([publisher.setTrack('microphone', tracks.microphone), publisher.setTrack('camera', tracks.camera)]);
    await exchange(sending, (sdp) => enter({ sdp, tracks: publisher.offers(), seats: [] }), signal);
    publisher.settled();
    for (const pc of [sending, receiving]) {
      const outcome = await connected(pc, signal, RELAY_PATIENCE_MS);
      if (outcome !== 'connected') throw new ProbeError(outcome);
    }
    await firstMedia(receiving, signal);
    const track = seats.all[0]?.video.receiver.track;
    if (track) picture(track);
    return await measure(sending, receiving, signal);
  } finally {
    sending.close();
    receiving.close();
  }
}

/**
 * @param {RTCPeerConnection} pc
 * @param {(sdp: string) => Promise<string>} ask
 * @param {AbortSignal} signal
 */
async function exchange(pc, ask, signal) {
  await pc.setLocalDescription();
  const sdp = await ask(pc.localDescription?.sdp ?? '');
  signal.throwIfAborted();
  await pc.setRemoteDescription({ type: 'answer', sdp });
}

/**
 * @param {RTCPeerConnection} pc
 * @param {AbortSignal} signal
 */
async function firstMedia(pc, signal) {
  for (let leftMs = MEDIA_PATIENCE_MS; leftMs > 0; leftMs -= POLL_MS) {
    const inbound = [...(await pc.getStats()).values()].filter(({ type }) => type === 'inbound-rtp');
    const [voice, picture] = [inbound.find(({ kind }) => kind === 'audio'), inbound.find(({ kind }) => kind === 'video')];
    if (voice?.packetsReceived > 0 && picture?.framesDecoded > 0) return;
    await pause(POLL_MS, signal);
  }
  throw new ProbeError('no_media');
}

/**
 * @param {RTCPeerConnection} sending
 * @param {RTCPeerConnection} receiving
 * @param {AbortSignal} signal
 */
async function measure(sending, receiving, signal) {
  const both = async () => ({ sent: await sending.getStats(), received: await receiving.getStats(), atMs: performance.now() });
  const before = await both();
  await pause(MEASURE_MS, signal);
  const after = await both();
  return figures({ before: before.sent, after: after.sent }, { before: before.received, after: after.received }, after.atMs - before.atMs);
}

/**
 * What two pairs of reports say. Pure.
 * @param {{ before: Report, after: Report }} sent
 * @param {{ before: Report, after: Report }} received
 * @param {number} elapsedMs
 * @returns {Figures}
 */
export function figures(sent, received, elapsedMs) {
  const packetsSent = grown(sent, 'outbound-rtp', 'packetsSent');
  const lostUp = grown(sent, 'remote-inbound-rtp', 'packetsLost');
  const packetsReceived = grown(received, 'inbound-rtp', 'packetsReceived');
  const lostDown = grown(received, 'inbound-rtp', 'packetsLost');
  const roundTripMs = roundTrip(sent.after);
  return {
    loss_up_permille: part(lostUp, packetsSent),
    loss_down_permille: part(lostDown, packetsReceived + lostDown),
    ...(roundTripMs === null ? {} : { round_trip_ms: roundTripMs }),
    sent_kbps: Math.round((8 * grown(sent, 'outbound-rtp', 'bytesSent')) / elapsedMs),
    received_kbps: Math.round((8 * grown(received, 'inbound-rtp', 'bytesReceived')) / elapsedMs),
    frames_per_second: Math.round((1_000 * grown(received, 'inbound-rtp', 'framesDecoded')) / elapsedMs),
  };
}

/**
 * @param {{ before: Report, after: Report }} reports
 * @param {string} type
 * @param {string} field
 */
function grown({ before, after }, type, field) {
  let sum = 0;
  for (const entry of after.values()) if (entry.type === type) sum += (entry[field] ?? 0) - (before.get(entry.id)?.[field] ?? 0);
  return Math.max(0, sum);
}

/**
 * By the checks of the path in use, else by what the server reports.
 * @param {Report} report
 * @returns {number | null} milliseconds
 */
function roundTrip(report) {
  const entries = [...report.values()];
  const pair = entries.find(({ type, nominated, currentRoundTripTime }) => type === 'candidate-pair' && nominated && currentRoundTripTime > 0);
  const reported = entries.find(({ type, roundTripTime }) => type === 'remote-inbound-rtp' && roundTripTime > 0);
  const seconds = pair?.currentRoundTripTime ?? reported?.roundTripTime;
  return typeof seconds === 'number' ? Math.round(1_000 * seconds) : null;
}

/**
 * @param {number} lost
 * @param {number} all
 * @returns {number} thousandths
 */
function part(lost, all) {
  return all > 0 ? Math.min(1_000, Math.round((1_000 * lost) / all)) : 0;
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects when it is stopped
 */
async function pause(ms, signal) {
  const over = new AbortController();
  await new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve(null)), { signal: over.signal });
  });
  over.abort();
  signal.throwIfAborted();
}
