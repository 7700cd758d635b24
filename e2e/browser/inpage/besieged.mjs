// The client's own media worker, with somebody before its door: the module itself, unchanged, whose transforms get more frames than came, as a server
// could add them; or whose sealed frames leave with others' bytes in them, through the packets of a real connection. Told what to do, and asked
// what it did, on the channel `siege`.

import '/web/e2ee/media/worker.js';
import { MIME, plainFrame, seeded } from '/web/test/e2ee-world.js';
import { hostile } from '/web/test/hostile-frames.js';

/** Frames of the past that are repeated: twice the window within which the worker knows which it has seen, and more. */
const MAX_PAST = 2_500;
/** Those that hostile ones are made of. */
const RECENT = 40;
/** Hostile frames before each that is good, and as many after it. */
const SWARM = 20;

const random = seeded(15);
const tracks = new Map();
let mode = 'peace';

const codecOf = (frame) => Object.keys(MIME).find((name) => MIME[name].toLowerCase() === frame.getMetadata().mimeType?.toLowerCase());
const kindOf = (frame) => (frame instanceof RTCEncodedVideoFrame ? 'video' : 'audio');

/** Another frame of the same track, with these bytes. */
function forged(frame, bytes) {
  const made = kindOf(frame) === 'video' ? new RTCEncodedVideoFrame(frame) : new RTCEncodedAudioFrame(frame);
  made.data = bytes.slice().buffer;
  return made;
}

/** Frames that nobody sealed as they are: every other one is made of the newest alone, whose number nothing has used up as long as it has not come itself. */
function swarm(frame, { past, codec }) {
  const plain = [true, false].map((key) => plainFrame(codec, { random, key, length: 40 + random(200) }));
  return Array.from({ length: SWARM }, (_, index) => forged(frame, hostile(random, past.slice(index % 2 === 0 ? -1 : -RECENT), plain)));
}

/** What else comes, before each good frame. */
const AHEAD = { swarm };

/** What else comes, after each good frame. */
const WAYS = {
  swarm,
  // The same once more, any of those before, the oldest that is kept, and the newest of the other track.
  again: (frame, track) => {
    const { past } = track;
    const other = [...tracks.values()].find((each) => each !== track)?.past.at(-1);
    return [past.at(-1), past[random(past.length)], past[0], ...(other ? [other] : [])].map((bytes) => forged(frame, bytes));
  },
};

/** What comes in the place of good frames. */
const PLACES = {
  // The same bytes in another frame: they are as good.
  instead: (frame, { past }) => [forged(frame, past.at(-1))],
  // Two and two, the later one first.
  swapped: (frame, track) => {
    const held = track.held;
    track.held = held === null ? frame : null;
    return held === null ? [] : [frame, held];
  },
  withheld: () => [],
  // Every second one as any of those before. A sender sends no more frames than its encoder made, and in their order.
  replaced: (frame, track) => {
    if (track.good % 2 === 0) {
      // What it would have been nobody has seen, now or later.
      track.past.pop();
      frame.data = track.past[random(track.past.length)].slice().buffer;
      track.forged += 1;
    }
    return [frame];
  },
};

function besiege(options) {
  const track = { name: options.track, past: [], codec: null, held: null, last_ms: null, good: 0, forged: 0, out: 0, longest_ms: 0 };
  tracks.set(options.track, track);
  const before = new TransformStream({
    transform(frame, out) {
      track.codec ??= codecOf(frame);
      track.good += 1;
      track.past = [...track.past.slice(-MAX_PAST), new Uint8Array(frame.data).slice()];
      const [ahead, more] = [AHEAD, WAYS].map((ways) => ways[mode]?.(frame, track) ?? []);
      for (const each of [...ahead, ...(PLACES[mode]?.(frame, track) ?? [frame]), ...more]) out.enqueue(each);
      track.forged += ahead.length + more.length;
    },
  });
  return { track, before };
}

/** Notes when a frame comes out. */
const watching = (track) =>
  new TransformStream({
    transform(frame, out) {
      const now_ms = performance.now();
      if (track.last_ms !== null) track.longest_ms = Math.max(track.longest_ms, now_ms - track.last_ms);
      track.last_ms = now_ms;
      track.out += 1;
      out.enqueue(frame);
    },
  });

const honest = globalThis.onrtctransform;
globalThis.onrtctransform = ({ transformer }) => {
  const { readable, writable, options } = transformer;
  const { track, before } = besiege(options);
  const ask = { options, sendKeyFrameRequest: () => transformer.sendKeyFrameRequest() };
  if (options.side === 'receive') {
    const after = watching(track);
    void after.readable.pipeTo(writable).catch(() => {});
    honest({ transformer: { ...ask, readable: readable.pipeThrough(before), writable: after.writable } });
  } else {
    void before.readable.pipeTo(writable).catch(() => {});
    honest({ transformer: { ...ask, readable, writable: before.writable } });
  }
};

const errors = [];
globalThis.addEventListener('error', ({ message }) => errors.push(message));
globalThis.addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)));

new BroadcastChannel('siege').onmessage = ({ data, target }) => {
  if (data.type === 'begin') for (const track of tracks.values()) Object.assign(track, { held: null, last_ms: null, good: 0, forged: 0, out: 0, longest_ms: 0 });
  if (data.type === 'begin' || data.type === 'end') mode = data.mode ?? 'peace';
  const seen = [...tracks.values()].map(({ name, good, forged: added, out, longest_ms }) => ({ track: name, good, forged: added, out, longest_ms }));
  target.postMessage({ type: 'seen', mode, errors, tracks: seen });
};
