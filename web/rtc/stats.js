/**
 * What `getStats` says about a call, in the few numbers that help when something is wrong. Pure: takes two reports, gives one summary.
 */

/**
 * @typedef {object} StreamSummary
 * @property {string} mid
 * @property {'audio' | 'video'} kind
 * @property {string} codec
 * @property {number} kilobitsPerSecond
 * @property {number} width 0 for sound
 * @property {number} height
 * @property {number} framesPerSecond
 */

/**
 * @typedef {object} CallSummary
 * @property {number | null} roundTripMs
 * @property {number} lossPercent of received packets since the earlier report
 * @property {StreamSummary[]} sent
 * @property {StreamSummary[]} received
 */

/** @typedef {ReadonlyMap<string, any>} Report */

/**
 * @param {Report} before
 * @param {Report} after
 * @returns {CallSummary}
 */
export function summarise(before, after) {
  /** @type {CallSummary} */
  const summary = { roundTripMs: null, lossPercent: 0, sent: [], received: [] };
  let lost = 0;
  let received = 0;
  for (const entry of after.values()) {
    if (entry.type === 'candidate-pair' && entry.nominated && typeof entry.currentRoundTripTime === 'number') {
      summary.roundTripMs = Math.round(entry.currentRoundTripTime * 1000);
    }
    const earlier = before.get(entry.id);
    if (entry.type === 'inbound-rtp' && entry.packetsReceived > 0) {
      lost += Math.max(0, (entry.packetsLost ?? 0) - (earlier?.packetsLost ?? 0));
      received += entry.packetsReceived - (earlier?.packetsReceived ?? 0);
      summary.received.push(streamSummary(entry, earlier, after, 'bytesReceived'));
    }
    if (entry.type === 'outbound-rtp' && entry.packetsSent > 0) summary.sent.push(streamSummary(entry, earlier, after, 'bytesSent'));
  }
  if (lost + received > 0) summary.lossPercent = Math.round((1000 * lost) / (lost + received)) / 10;
  return summary;
}

/**
 * Whether media goes through a TURN relay.
 * @param {Report} report
 */
export function isRelayed(report) {
  const chosen = [...report.values()].find((entry) => entry.type === 'transport' && entry.selectedCandidatePairId);
  // Firefox names the chosen pair in the pair itself.
  const pair = chosen ? report.get(chosen.selectedCandidatePairId) : [...report.values()].find((entry) => entry.type === 'candidate-pair' && entry.selected);
  return report.get(pair?.localCandidateId)?.candidateType === 'relay';
}

/**
 * @param {any} entry
 * @param {any} earlier
 * @param {Report} report
 * @param {'bytesSent' | 'bytesReceived'} bytes
 * @returns {StreamSummary}
 */
function streamSummary(entry, earlier, report, bytes) {
  const elapsedMs = entry.timestamp - (earlier?.timestamp ?? entry.timestamp);
  const bits = 8 * (entry[bytes] - (earlier?.[bytes] ?? 0));
  return {
    mid: entry.mid ?? '',
    kind: entry.kind,
    codec: String(report.get(entry.codecId)?.mimeType ?? '').replace(/^\w+\//, ''),
    kilobitsPerSecond: elapsedMs > 0 ? Math.round(bits / elapsedMs) : 0,
    width: entry.frameWidth ?? 0,
    height: entry.frameHeight ?? 0,
    framesPerSecond: Math.round(entry.framesPerSecond ?? 0),
  };
}
