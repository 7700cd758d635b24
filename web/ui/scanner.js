/** Reads QR codes with the camera, where the browser can by itself (`BarcodeDetector`); elsewhere nothing is offered. */

/** Between two looks: a hand needs longer to hold the telephone still. */
const LOOK_EVERY_MS = 150;

/** @typedef {{ detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]> }} Detector */
/** @typedef {{ new (options: { formats: string[] }): Detector, getSupportedFormats: () => Promise<string[]> }} DetectorClass */

/** @returns {Promise<Detector | null>} null: this browser cannot, or has no camera to ask for */
export async function qrDetector() {
  const { BarcodeDetector } = /** @type {{ BarcodeDetector?: DetectorClass }} */ (globalThis);
  if (!BarcodeDetector || !navigator.mediaDevices) return null;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => /** @type {string[]} */ ([]));
  return formats.includes('qr_code') ? new BarcodeDetector({ formats: ['qr_code'] }) : null;
}

/**
 * Shows a camera's picture until a code is in it.
 * @param {Detector} detector
 * @param {HTMLVideoElement} video
 * @param {() => Promise<MediaStreamTrack>} open the camera
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>} its text; null: it was given up. Rejects as `open` does
 */
export async function scan(detector, video, open, signal) {
  const track = await open();
  try {
    if (signal.aborted) return null;
    video.muted = true;
    video.srcObject = new MediaStream([track]);
    await video.play().catch(() => {});
    return await firstCode(detector, video, signal);
  } finally {
    video.srcObject = null;
    track.stop();
  }
}

/** @param {Detector} detector @param {HTMLVideoElement} video @param {AbortSignal} signal @returns {Promise<string | null>} */
async function firstCode(detector, video, signal) {
  while (!signal.aborted) {
    // A frame that is not there yet cannot be looked at.
    const [code] = await detector.detect(video).catch(() => []);
    if (code) return signal.aborted ? null : code.rawValue;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return null;
}
