/**
 * Microphones, cameras, speakers and screens: what there is, and getting hold of one. Turns the browser's many errors into few codes.
 *
 * Keeps nothing; `LocalMedia` owns the tracks.
 */

/** @typedef {'device_denied' | 'device_missing' | 'device_busy' | 'device_insecure' | 'device_failed' | 'screen_unsupported'} DeviceCode */

/** A device that could not be had, with a code that the catalogue has a text for. */
export class DeviceError extends Error {
  /** @param {DeviceCode} code */
  constructor(code) {
    super(code);
    this.name = 'DeviceError';
    this.code = code;
  }
}

/** The largest picture asked for; three layers from it serve every tile. */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN_FRAME_RATE = { ideal: 15, max: 15 };

/**
 * @param {{ microphone: string | null } | null} microphone null: none wanted; an id of null: any
 * @param {{ camera: string | null } | null} camera
 * @returns {Promise<{ microphone: MediaStreamTrack | null, camera: MediaStreamTrack | null }>}
 */
export async function openDevices(microphone, camera) {
  const devices = mediaDevices();
  const wanted = {
    audio: microphone ? { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...idealId(microphone.microphone) } : false,
    video: camera ? { ...CAMERA, ...idealId(camera.camera) } : false,
  };
  const stream = await devices.getUserMedia(wanted).catch((error) => {
    throw new DeviceError(deviceCode(error));
  });
  return { microphone: stream.getAudioTracks()[0] ?? null, camera: stream.getVideoTracks()[0] ?? null };
}

/** A camera to read a code with: the one that looks away from the person, where there is one. @returns {Promise<MediaStreamTrack>} */
export async function openScanningCamera() {
  const stream = await mediaDevices()
    .getUserMedia({ video: { ...CAMERA, facingMode: 'environment' } })
    .catch((error) => {
      throw new DeviceError(deviceCode(error));
    });
  const [track] = stream.getVideoTracks();
  if (!track) throw new DeviceError('device_failed');
  return track;
}

/**
 * Let the person pick a screen, with its sound where the browser gives it.
 * @returns {Promise<{ video: MediaStreamTrack, audio: MediaStreamTrack | null } | null>} null when they changed their mind
 */
export async function openScreen() {
  const devices = mediaDevices();
  if (!('getDisplayMedia' in devices)) throw new DeviceError('screen_unsupported');
  /** @type {MediaStream} */
  let stream;
  try {
    stream = await devices.getDisplayMedia(
      /** @type {DisplayMediaStreamOptions} */ ({
        video: { frameRate: SCREEN_FRAME_RATE },
        audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        systemAudio: 'include',
        selfBrowserSurface: 'exclude',
      }),
    );
  } catch (error) {
    if (/** @type {Error} */ (error).name === 'NotAllowedError') return null;
    throw new DeviceError(deviceCode(error));
  }
  const video = stream.getVideoTracks()[0];
  if (!video) throw new DeviceError('device_failed');
  video.contentHint = 'detail';
  return { video, audio: stream.getAudioTracks()[0] ?? null };
}

/**
 * @typedef {{ id: string, label: string }} Device
 * @returns {Promise<{ microphones: Device[], cameras: Device[], speakers: Device[] }>} without labels until a device was allowed once
 */
export async function listDevices() {
  const found = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  /** @param {MediaDeviceKind} kind */
  const ofKind = (kind) => found.filter((device) => device.kind === kind && device.deviceId !== '').map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { microphones: ofKind('audioinput'), cameras: ofKind('videoinput'), speakers: ofKind('audiooutput') };
}

/**
 * @param {() => void} changed called when a device was plugged in or out
 * @param {AbortSignal} signal
 */
export function watchDevices(changed, signal) {
  navigator.mediaDevices?.addEventListener?.('devicechange', changed, { signal });
}

/**
 * @param {unknown} error what getUserMedia or getDisplayMedia threw
 * @returns {DeviceCode}
 */
export function deviceCode(error) {
  switch (/** @type {{ name?: string } | null} */ (error)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'device_denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'device_missing';
    case 'NotReadableError':
    case 'AbortError':
      return 'device_busy';
    default:
      return 'device_failed';
  }
}

function mediaDevices() {
  if (!navigator.mediaDevices) throw new DeviceError('device_insecure');
  return navigator.mediaDevices;
}

/** @param {string | null} id */
function idealId(id) {
  return id === null ? {} : { deviceId: { ideal: id } };
}
