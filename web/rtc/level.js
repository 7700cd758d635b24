/** How loud a microphone is, for the meter. Touches no DOM; whoever shows it asks as often as it draws. */

/** Below this the meter shows nothing: the noise of a quiet room. */
const FLOOR_DB = -60;
const CEILING_DB = -10;

/**
 * @param {number} rms from 0 to 1
 * @returns {number} from 0 to 1, linear in decibels
 */
export function meterLevel(rms) {
  if (rms <= 0) return 0;
  const level = (20 * Math.log10(rms) - FLOOR_DB) / (CEILING_DB - FLOOR_DB);
  return Math.min(1, Math.max(0, level));
}

/**
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal ends the measuring
 * @returns {() => number} the level now, from 0 to 1
 */
export function measureLevel(track, signal) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  signal.addEventListener('abort', () => void context.close().catch(() => {}), { once: true });
  void context.resume().catch(() => {});
  return () => {
    analyser.getFloatTimeDomainData(samples);
    let sum = 0;
    for (const sample of samples) sum += sample * sample;
    return meterLevel(Math.sqrt(sum / samples.length));
  };
}
