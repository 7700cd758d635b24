import assert from 'node:assert/strict';
import { test } from 'node:test';

import { audioCodecs, seatVideoCodecs, sendableCodecs, sendingVideoCodecs, videoCodecName } from '../rtc/codecs.js';
import { deviceCode } from '../rtc/devices.js';
import { cameraEncodings, cameraLayers, layerCount, screenEncodings } from '../rtc/encodings.js';
import { meterLevel } from '../rtc/level.js';
import { Negotiator } from '../rtc/negotiation.js';
import { SeatTable, belongsTo, seatsToAdd } from '../rtc/seats.js';
import { summarise } from '../rtc/stats.js';
import { Transceivers } from '../rtc/transceivers.js';

const h264 = (mode, profile) => ({ mimeType: 'video/H264', sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=${mode};profile-level-id=${profile}` });
const CHROMIUM = [
  { mimeType: 'video/VP8' },
  { mimeType: 'video/rtx' },
  h264(1, '42001f'),
  h264(0, '42001f'),
  h264(1, '42e01f'),
  h264(1, '4d001f'),
  { mimeType: 'video/AV1', sdpFmtpLine: 'level-idx=5;profile=0;tier=0' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=0' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=2' },
  { mimeType: 'video/red' },
  { mimeType: 'video/ulpfec' },
  { mimeType: 'video/flexfec-03' },
];
const FIREFOX = [
  { mimeType: 'video/VP8', sdpFmtpLine: 'max-fs=12288;max-fr=60' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'max-fs=12288;max-fr=60' },
  { mimeType: 'video/AV1' },
  { mimeType: 'video/rtx' },
];
const names = (codecs) => codecs.map((codec) => videoCodecName(codec) ?? codec.mimeType);

test('automatic prefers VP8, H264, VP9, AV1 and offers one variant of each', () => {
  assert.deepEqual(names(sendingVideoCodecs(CHROMIUM, 'automatic')), ['VP8', 'H264', 'VP9', 'AV1', 'video/rtx']);
});

test('a chosen codec comes first and the others stay', () => {
  assert.deepEqual(names(sendingVideoCodecs(CHROMIUM, 'AV1')), ['AV1', 'VP8', 'H264', 'VP9', 'video/rtx']);
});

test('a chosen codec that this browser lacks changes nothing', () => {
  assert.deepEqual(names(sendingVideoCodecs(FIREFOX, 'H264')), ['VP8', 'VP9', 'AV1', 'video/rtx']);
});

test("Firefox's VP9 without a profile is profile 0", () => {
  assert.deepEqual(sendableCodecs(FIREFOX), ['VP8', 'VP9', 'AV1']);
});

test('a seat receives every codec that the call may use', () => {
  assert.deepEqual(names(seatVideoCodecs(CHROMIUM)), ['VP8', 'H264', 'VP9', 'AV1', 'video/rtx']);
});

test('sound is opus and nothing else', () => {
  assert.deepEqual(audioCodecs([{ mimeType: 'audio/opus' }, { mimeType: 'audio/red' }, { mimeType: 'audio/PCMU' }]), [{ mimeType: 'audio/opus' }]);
});

test('layers follow the width of the capture', () => {
  assert.deepEqual([320, 479, 480, 640, 959, 960, 1280].map(layerCount), [1, 1, 2, 2, 2, 3, 3]);
});

test('a wide camera sends q, h and f at a quarter, half and full size', () => {
  const encodings = cameraEncodings(1280, 'VP8');
  assert.deepEqual(encodings.map(({ rid, scaleResolutionDownBy, maxBitrate }) => [rid, scaleResolutionDownBy, maxBitrate]), [
    ['q', 4, 150_000],
    ['h', 2, 500_000],
    ['f', 1, 1_700_000],
  ]);
});

test('a narrow camera sends one encoding without a rid', () => {
  const encodings = cameraEncodings(320, 'VP8');
  assert.equal(encodings.length, 1);
  assert.equal('rid' in encodings[0], false);
});

test('VP9 and AV1 say that each layer is a stream of its own', () => {
  for (const codec of ['VP9', 'AV1', 'H264']) for (const encoding of cameraEncodings(1280, codec)) assert.equal(encoding.scalabilityMode, 'L1T1');
});

test('a small camera on a line made for three layers sends its whole picture in the first', () => {
  const layers = cameraLayers(3, 320);
  assert.deepEqual(layers.map(({ active }) => active), [true, false, false]);
  assert.equal(layers[0].scaleResolutionDownBy, 1);
});

test('rates rise from layer to layer for every width', () => {
  for (const count of [1, 2, 3])
    for (const width of [160, 320, 480, 640, 960, 1280, 1920]) {
      const active = cameraLayers(count, width).filter((layer) => layer.active);
      for (let at = 1; at < active.length; at += 1) {
        assert.ok(active[at].maxBitrate > active[at - 1].maxBitrate, `${count} layers at ${width}`);
        assert.equal(active[at].scaleResolutionDownBy, active[at - 1].scaleResolutionDownBy / 2);
      }
      assert.equal(active.at(-1).scaleResolutionDownBy, 1);
    }
});

test('a screen is one stream of few frames', () => {
  assert.equal(screenEncodings().length, 1);
  assert.equal(screenEncodings()[0].maxFramerate, 15);
});

test('seats start at eight, grow by eight and end at forty-eight', () => {
  assert.equal(seatsToAdd(0, 0), 8);
  assert.equal(seatsToAdd(8, 8), 0);
  assert.equal(seatsToAdd(8, 9), 8);
  assert.equal(seatsToAdd(8, 300), 8);
  assert.equal(seatsToAdd(48, 300), 0);
  assert.equal(seatsToAdd(44, 300), 4);
});

const line = (mid) => ({ mid, receiver: {} });

test('a seats event changes the seats that it names and no others', () => {
  const seats = new SeatTable(() => 5);
  for (const index of [0, 1, 2]) seats.add(line(`a${index}`), line(`v${index}`));
  const feed = (participant) => ({ participant, kind: 'person', csrc: 1 });
  seats.apply([{ seat: 0, feed: feed('x') }, { seat: 2, feed: feed('y') }]);
  seats.apply([{ seat: 0, feed: null }, { seat: 7, feed: feed('z') }]);
  assert.equal(seats.find('x', 'person'), null);
  assert.equal(seats.find('y', 'person')?.index, 2);
  assert.equal(seats.find('y', 'screen'), null);
  assert.deepEqual(seats.offers()[1], { audio_mid: 'a1', video_mid: 'v1' });
  assert.equal(seats.all[0].usedBefore, true);
  assert.equal(seats.all[2].usedBefore, false);
});

test('a picture belongs to the feed whose number came last', () => {
  assert.equal(belongsTo([], 7), 'unknown');
  assert.equal(belongsTo([{ source: 7, timestamp: 1 }], 7), 'yes');
  assert.equal(belongsTo([{ source: 7, timestamp: 1 }, { source: 8, timestamp: 2 }], 7), 'no');
  assert.equal(belongsTo([{ source: 7, timestamp: 3 }, { source: 8, timestamp: 2 }], 7), 'yes');
});

test('a transform can be attached before anything else happens to an m-line', () => {
  const order = [];
  const pc = { addTransceiver: (kind, init) => (order.push(`add ${kind} ${init.direction}`), { setCodecPreferences: () => order.push('codecs') }) };
  const transceivers = new Transceivers(pc, (_transceiver, what) => order.push(`attach ${what}`));
  transceivers.send('screen', [{}]);
  transceivers.receive('audio', [{}]);
  assert.deepEqual(order, ['add video sendonly', 'attach screen', 'codecs', 'add audio recvonly', 'attach audio', 'codecs']);
});

/** @param {(sdp: string) => Promise<string>} send */
function negotiation(send) {
  const log = [];
  const pc = {
    signalingState: 'stable',
    localDescription: { sdp: 'offer' },
    restartIce: () => log.push('restart'),
    setLocalDescription: async (description) => {
      log.push(description?.type ?? 'offer');
      pc.signalingState = description?.type === 'rollback' ? 'stable' : 'have-local-offer';
    },
    setRemoteDescription: async () => {
      log.push('answer');
      pc.signalingState = 'stable';
    },
  };
  const negotiator = new Negotiator(pc, {
    send,
    prepare: () => {},
    settled: () => log.push('settled'),
    failed: (code) => log.push(`failed ${code}`),
    sleep: async () => {},
    random: () => 0,
  });
  return { negotiator, log };
}
const settle = () => new Promise((resolve) => setImmediate(resolve));

test('however often it is asked during an offer, one more offer follows', async () => {
  let answer;
  const { negotiator, log } = negotiation(() => new Promise((resolve) => (answer = resolve)));
  negotiator.request();
  await settle();
  negotiator.request();
  negotiator.request();
  answer('sdp');
  await settle();
  answer('sdp');
  await settle();
  assert.deepEqual(log, ['offer', 'answer', 'settled', 'offer', 'answer', 'settled']);
});

test('a refused offer is rolled back and made again', async () => {
  let tries = 0;
  const { negotiator, log } = negotiation(async () => {
    if (++tries < 3) throw Object.assign(new Error(), { code: 'busy' });
    return 'sdp';
  });
  negotiator.request();
  await settle();
  assert.deepEqual(log, ['offer', 'rollback', 'offer', 'rollback', 'offer', 'answer', 'settled']);
});

test('an offer that keeps being refused is given up with the reason', async () => {
  const { negotiator, log } = negotiation(() => Promise.reject(Object.assign(new Error(), { code: 'bad_offer' })));
  negotiator.request();
  await settle();
  assert.equal(log.filter((entry) => entry === 'offer').length, 5);
  assert.equal(log.at(-1), 'failed bad_offer');
});

test('an offer lost with the connection is no refusal', async () => {
  let tries = 0;
  const { negotiator, log } = negotiation(async () => {
    if (++tries < 20) throw Object.assign(new Error(), { code: 'connection_lost' });
    return 'sdp';
  });
  negotiator.restartIce();
  await settle();
  assert.equal(log.at(-1), 'settled');
  assert.equal(log.filter((entry) => entry === 'restart').length, 20);
});

test('every browser error about a device has one of our codes', () => {
  assert.equal(deviceCode({ name: 'NotAllowedError' }), 'device_denied');
  assert.equal(deviceCode({ name: 'NotFoundError' }), 'device_missing');
  assert.equal(deviceCode({ name: 'NotReadableError' }), 'device_busy');
  assert.equal(deviceCode(new TypeError()), 'device_failed');
  assert.equal(deviceCode(null), 'device_failed');
});

test('the meter rests at silence and is full at a loud voice', () => {
  assert.equal(meterLevel(0), 0);
  assert.equal(meterLevel(0.0005), 0);
  assert.equal(meterLevel(1), 1);
  assert.ok(meterLevel(0.1) > meterLevel(0.01));
});

test('numbers about a stream are of the time since the last look', () => {
  const entry = (bytes, packets, lost, timestamp) => ['i', { id: 'i', type: 'inbound-rtp', kind: 'audio', mid: '1', codecId: 'c', bytesReceived: bytes, packetsReceived: packets, packetsLost: lost, timestamp }];
  const codec = ['c', { id: 'c', type: 'codec', mimeType: 'audio/opus' }];
  const summary = summarise(new Map([entry(1000, 100, 5, 1000)]), new Map([entry(5000, 190, 15, 2000), codec]));
  assert.deepEqual(summary.received, [{ mid: '1', kind: 'audio', codec: 'opus', kilobitsPerSecond: 32, width: 0, height: 0, framesPerSecond: 0 }]);
  assert.equal(summary.lossPercent, 10);
});
