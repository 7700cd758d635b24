/** A picture and a tone for people who have no camera or microphone at hand, so that the way to the server can be tried all the same. */

import { el } from './dom.js';

const WIDTH = 640;
const HEIGHT = 360;
const FRAMES_PER_SECOND = 15;
const TONE_HZ = 440;
/** Far from full: nobody is to be startled if it is ever played. */
const LEVEL = 0.05;

/** @returns {{ camera: MediaStreamTrack, microphone: MediaStreamTrack }} both end when they are stopped */
export function standIns() {
  return { camera: movingPicture(), microphone: quietTone() };
}

function movingPicture() {
  const canvas = el('canvas', { width: WIDTH, height: HEIGHT });
  const brush = canvas.getContext('2d', { alpha: false });
  let frame = 0;
  const draw = () => {
    if (track.readyState === 'ended') return clearInterval(timer);
    frame += 1;
    if (!brush) return;
    brush.fillStyle = '#0f766e';
    brush.fillRect(0, 0, WIDTH, HEIGHT);
    brush.fillStyle = '#dcefeb';
    brush.beginPath();
    brush.arc(WIDTH / 2 + Math.sin(frame / 10) * 200, HEIGHT / 2, 48, 0, 2 * Math.PI);
    brush.fill();
  };
  const track = /** @type {MediaStreamTrack} */ (canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks()[0]);
  const timer = setInterval(draw, 1_000 / FRAMES_PER_SECOND);
  draw();
  return track;
}

function quietTone() {
  const context = new AudioContext();
  const [tone, level, sink] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
  tone.frequency.value = TONE_HZ;
  level.gain.value = LEVEL;
  tone.connect(level).connect(sink);
  tone.start();
  const track = /** @type {MediaStreamTrack} */ (sink.stream.getAudioTracks()[0]);
  const stop = track.stop.bind(track);
  // A track that is stopped by its owner says nothing: the context must go with it.
  track.stop = () => {
    stop();
    if (context.state !== 'closed') void context.close();
  };
  return track;
}
