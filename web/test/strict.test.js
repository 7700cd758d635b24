// A call that hides from the server who speaks: what is never sent, whatever the server answers, and whom this browser hears by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Hearing, levelsIn, levelsOfPeople, listenForSpeakers } from '../rtc/ears.js';
import { withoutLevels } from '../rtc/without-levels.js';
import { CallStore } from '../state/call.js';
import { EncryptedOnce } from '../state/encrypted-once.js';
import { Preferences } from '../state/preferences.js';
import { FakeEngine, FakeMedia, FakeSocket, person, settle } from './call-world.js';

const LEVEL = 'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const ANSWER = ['v=0', LEVEL, 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0', LEVEL, 'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
  'a=rtpmap:111 opus/48000/2', 'a=fmtp:111 minptime=10;usedtx=1;CBR=0;useinbandfec=1', 'm=audio 9 UDP/TLS/RTP/SAVPF 109', 'a=rtpmap:109 OPUS/48000/2',
  'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=rtpmap:96 H264/90000', 'a=fmtp:96 packetization-mode=1', ''].join('\r\n');

test('no answer has a strict client say how loud it is, pause, or send what varies in size', () => {
  const lines = withoutLevels(ANSWER).split('\r\n');
  assert.equal(lines.some((line) => line.includes('ssrc-audio-level')), false);
  assert.deepEqual(lines.filter((line) => line.startsWith('a=fmtp')), ['a=fmtp:111 minptime=10;useinbandfec=1;cbr=1;usedtx=0', 'a=fmtp:109 cbr=1;usedtx=0', 'a=fmtp:96 packetization-mode=1']);
  assert.equal(lines.filter((line) => line.includes('sdes:mid')).length, 1, 'the others stay');
  assert.equal(withoutLevels(lines.join('\r\n')), lines.join('\r\n'), 'nothing is left to do');
  for (const end of ['\n', '\r']) assert.equal(withoutLevels(ANSWER.replaceAll('\r\n', end)), lines.join('\r\n'), 'whatever ends a line');
});

test('who is heard speaks, loudest first, and a while longer; who is not does not', () => {
  const hearing = new Hearing();
  const hear = (levels, now) => [...hearing.hear(new Map(Object.entries(levels)), now)];
  assert.deepEqual(hear({ anna: 0.001, boris: 0 }, 0), [], 'noise');
  assert.deepEqual(hear({ anna: 0.1, boris: 0.3 }, 250), ['boris', 'anna']);
  const same = hearing.hear(new Map([['anna', 0.1], ['boris', 0.3]]), 500);
  assert.equal(hearing.hear(new Map([['anna', 0.12], ['boris', 0.3]]), 750), same, 'nothing to be told');
  assert.deepEqual(hear({ anna: 0.1, boris: 0 }, 1_600), ['boris', 'anna'], 'a pause between words');
  assert.deepEqual(hear({ anna: 0.1, boris: 0 }, 1_700), ['anna']);
  assert.deepEqual(hear({ a: 0.1, b: 0.2, c: 0.3, d: 0.4 }, 1_800), ['d', 'c', 'b'], 'no more than three');
  assert.deepEqual(hear({}, 9_000), []);
});

const sound = (type, trackIdentifier, audioLevel) => ({ type, kind: 'audio', trackIdentifier, audioLevel });
const REPORT = new Map(Object.entries({ 1: sound('inbound-rtp', 'one', 0.5), 2: sound('media-source', 'own', 0.25), 3: { type: 'inbound-rtp', kind: 'video', trackIdentifier: 'v' }, 4: sound('outbound-rtp', 'no', 1), 5: sound('inbound-rtp', 'none', undefined) }));
const seat = (track, feed) => ({ audio: { receiver: { track: { id: track } } }, feed });

test('levels are those of the people on the seats and of oneself, not of shared screens', () => {
  const levels = levelsIn(REPORT);
  assert.deepEqual([...levels], [['one', 0.5], ['own', 0.25]]);
  const seats = [seat('one', { participant: 'anna', kind: 'person' }), seat('own', null), seat('one', { participant: 'boris', kind: 'screen' }), seat('none', { participant: 'clara', kind: 'person' })];
  assert.deepEqual([...levelsOfPeople(levels, seats, { track: 'own', participant: 'me' })], [['anna', 0.5], ['me', 0.25]]);
  assert.deepEqual([...levelsOfPeople(levels, [], { track: undefined, participant: 'me' })], []);
});

test('listening says who speaks when that changes, and ends', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const [told, ends] = [[], new AbortController()];
  let report = REPORT;
  const engine = { stats: async () => report, seats: { all: [seat('one', { participant: 'anna', kind: 'person' })] } };
  listenForSpeakers(engine, () => ({ track: undefined, participant: 'me' }), (speakers) => told.push([...speakers]), ends.signal);
  for (let turn = 0; turn < 3; turn += 1) {
    context.mock.timers.tick(250);
    await settle();
  }
  assert.deepEqual(told, [['anna']]);
  ends.abort();
  report = new Map();
  context.mock.timers.tick(5_000);
  await settle();
  assert.deepEqual(told, [['anna']]);
});

test('a room seen strict stays so here, whatever the server says later', () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const strict = (once, says) => once.seen({ id: 'a', encryption: 'mls', strict: says }).strict;
  const first = new EncryptedOnce(storage);
  assert.equal(strict(first, false), false, 'one that never was is not');
  assert.equal(strict(first, true), true);
  for (const once of [first, new EncryptedOnce(storage)]) assert.equal(strict(once, false), true);
  assert.equal(new EncryptedOnce(storage).seen({ id: 'a', encryption: 'open', strict: false }).strict, true);
});

/** Somebody in a call, with what was offered and answered. `keyed`: what the group of the room says. */
async function entered(known, told, keyed = false) {
  const [socket, engine] = [new FakeSocket(), new FakeEngine()];
  engine.stats = async () => REPORT;
  const stay = Object.assign(new EventTarget(), { lock: 'closed', allowed: Promise.resolve(), attach: () => {}, start: async () => {}, present: () => {}, seat: () => {}, end: () => {} });
  const shielding = { isSupported: () => true, ready: async () => ({ lookOf: () => ({ strict: keyed }) }), open: () => stay };
  const call = new CallStore(socket, new FakeMedia(), new Preferences(null), shielding, (options) => Object.assign(engine, { options }));
  socket.answers.join = { type: 'joined', room: 'r', call: 'c', encryption: 'mls', strict: told, participant: 'me', participants: [person('me'), person('you')] };
  socket.answers.offer = { type: 'answer', sdp: ANSWER };
  call.enter('r', { encryption: 'mls', strict: known });
  await settle();
  const answer = await engine.options.offer({ sdp: '', tracks: [], seats: [] });
  socket.say({ type: 'speakers', participants: ['you'] });
  return { call, answer };
}

test('a call is strict when the browser knows it, the server says so or the group of its room does, and then the server has no word on who speaks', async () => {
  for (const [known, told, keyed] of [[true, true, true], [true, false, false], [false, true, false], [false, false, true]]) {
    const { call, answer } = await entered(known, told, keyed);
    assert.equal(answer, withoutLevels(ANSWER), `${known} ${told} ${keyed}`);
    assert.deepEqual(call.speakers, []);
    call.leave();
  }
  const { call, answer } = await entered(false, false);
  assert.equal(answer, ANSWER);
  assert.deepEqual(call.speakers, ['you']);
  call.leave();
});
