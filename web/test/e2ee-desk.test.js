import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lockOf } from '../e2ee/media/counters.js';
import { JOIN_DELAY_MS, KEEP_MS } from '../e2ee/media/keys.js';
import { SOUND_SWITCH_MS, SWITCH_MS } from '../e2ee/media/seat.js';
import { HOLD_MS, REST_MS } from '../e2ee/media/hold.js';
import { GREETING_MS, KEYFRAME_INTERVAL_MS } from '../e2ee/media/track.js';
import { CODECS, annaAndBoris, base, epochOf, frameOf, kindOf, makeDesk, member, plainFrame, randomBytes, received, seeded, shares, sourceOf } from './e2ee-world.js';

const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
/** Sealing and opening take other threads, and as long as these need. @param {() => boolean} holds */
const until = async (holds) => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const random = seeded(77);
const some = (codec, count, key = true) => Array.from({ length: count }, () => plainFrame(codec, { random, key }));
const sealed = (who, codec, plain, source = sourceOf(codec)) => who.lane({ side: 'send', track: `own ${source}`, source }).run(received(codec, plain));

for (const codec of CODECS) {
  test(`${codec}: a frame that nobody sealed is not shown, and counted (T9)`, async () => {
    const { anna, boris } = await annaAndBoris();
    boris.seat('seat', 'p1');
    const opening = boris.lane({ side: 'receive', track: 'seat', kind: kindOf(codec) });
    const [plain] = some(codec, 1);
    assert.deepEqual(await opening.run(received(codec, [plain, ...some(codec, 20, false)])), []);
    const { counters } = boris.of('seat');
    assert.equal(counters.opened, 0);
    // A plain frame of opus or VP9 may begin like a header: then it is taken for one under a key that is not here.
    const isWhole = codec === 'opus' || codec === 'VP9';
    const named = counters.clear_refused + counters.malformed + (isWhole ? counters.no_key + counters.foreign + counters.auth_failed : 0);
    assert.equal(named, 21, JSON.stringify(counters));
    assert.deepEqual(await opening.run(received(codec, await sealed(anna, codec, [plain]))), [plain], 'the same frame, sealed, is');
  });

  test(`${codec}: a frame is shown once, however often and late it comes (T10)`, async () => {
    const { anna, boris } = await annaAndBoris();
    boris.seat('seat', 'p1');
    boris.seat('other', 'p1');
    const [opening, other] = ['seat', 'other'].map((track) => boris.lane({ side: 'receive', track, kind: kindOf(codec) }));
    const plain = some(codec, 1_100);
    const all = await sealed(anna, codec, plain);
    const shuffled = [3, 1, 2, 0].map((index) => all[index]);
    assert.equal((await opening.run(received(codec, shuffled))).length, 4, 'reordered frames are');
    assert.deepEqual(await opening.run(received(codec, shuffled)), []);
    assert.deepEqual(await other.run(received(codec, shuffled)), [], 'nor on another seat');
    assert.equal((await opening.run(received(codec, [all[1_099]]))).length, 1);
    assert.deepEqual(await opening.run(received(codec, [all[5]])), [], 'new, and older than the window');
    assert.equal((await opening.run(received(codec, [all[500]]))).length, 1, 'new, and within it');
    assert.equal(boris.of('seat').counters.replayed, 5);
    assert.equal(boris.of('other').counters.replayed, 4);
  });
}

test('the same frame on two seats at once is shown on one (T10)', async () => {
  const { anna, boris } = await annaAndBoris();
  const opening = ['seat', 'other'].map((track) => {
    boris.seat(track, 'p1');
    return boris.lane({ side: 'receive', track, kind: 'video' });
  });
  const all = await sealed(anna, 'VP9', some('VP9', 50));
  const shown = await Promise.all(opening.map((lane) => lane.run(received('VP9', all))));
  assert.equal(shown[0].length + shown[1].length, 50);
});

test("one's frames are not shown as another's, nor a screen as a camera (T11)", async () => {
  const { anna, boris, clara } = await annaAndBoris();
  boris.seat('camera of anna', 'p1');
  boris.seat('screen of anna', 'p1', 'screen');
  boris.seat('nobody', null);
  const lane = (track, kind = 'video') => boris.lane({ side: 'receive', track, kind });
  const [camera, screen, nobody, unsaid] = [lane('camera of anna'), lane('screen of anna'), lane('nobody'), lane('never said')];
  const microphone = lane('camera of anna, sound', 'audio');
  boris.seat('camera of anna, sound', 'p1');
  const plain = some('VP9', 5);
  const [ofClara] = await sealed(clara, 'VP9', [plain[0]]);
  const [asScreen, another] = await sealed(anna, 'VP9', plain.slice(1, 3), 'screen');
  const [asScreenSound] = await sealed(anna, 'opus', some('opus', 1), 'screen_audio');
  const [asCamera] = await sealed(anna, 'VP9', [plain[3]]);
  const frames = (one, codec = 'VP9') => received(codec, [one]);
  assert.deepEqual(await camera.run(frames(ofClara)), [], 'Clara as Anna');
  assert.deepEqual(await camera.run(frames(asScreen)), [], "Anna's screen as her camera");
  assert.deepEqual(await microphone.run(frames(asScreenSound, 'opus')), [], 'the sound of her screen as her voice');
  assert.deepEqual(await nobody.run(frames(asCamera)), [], 'on an empty seat');
  assert.deepEqual(await unsaid.run(frames(asCamera)), [], 'on a seat of which nothing was said');
  for (const track of ['camera of anna', 'nobody', 'never said', 'camera of anna, sound']) assert.ok(boris.of(track).counters.foreign > 0, track);
  assert.deepEqual(await screen.run(frames(another)), [plain[2]], 'where it belongs it is shown');
  assert.deepEqual(await camera.run(frames(asCamera)), [plain[3]]);
});

test('the sealed context counts, not what the server says: a KID moved to another source opens nothing (T11)', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1', 'screen');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const [frame] = await sealed(anna, 'VP9', some('VP9', 1));
  assert.equal(frame[0], 0xa0, 'a KID of three bytes, counter 0');
  const moved = frame.slice();
  moved[1] = (moved[1] & 0x0f) | 0x20;
  assert.deepEqual(await opening.run(received('VP9', [moved])), []);
  assert.equal(boris.of('seat').counters.auth_failed, 1);
});

test('t11_the_voice_of_who_sat_there_before_is_let_through_for_a_second', async () => {
  const { anna, boris, clara } = await annaAndBoris();
  const opening = boris.lane({ side: 'receive', track: 'voice', kind: 'audio' });
  const ofAnna = await sealed(anna, 'opus', some('opus', 5));
  const ofClara = await sealed(clara, 'opus', some('opus', 2));
  const sounds = async (frame) => (await opening.run(received('opus', [frame]))).length === 1;
  boris.seat('voice', 'p1');
  assert.ok(await sounds(ofAnna[0]));
  boris.now = 1_000;
  boris.seat('voice', 'p3');
  assert.ok(await sounds(ofClara[0]));
  boris.now = 1_000 + SOUND_SWITCH_MS - 1;
  assert.ok(await sounds(ofAnna[1]), 'it was on its way');
  boris.now = 1_000 + SOUND_SWITCH_MS;
  assert.ok(!(await sounds(ofAnna[2])));
  assert.ok(await sounds(ofClara[1]));
});

test('while a seat changes hands both are shown, afterwards only the new one, and each change of the picture is told by its key', async () => {
  const { anna, boris, clara } = await annaAndBoris();
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const ofAnna = await sealed(anna, 'VP9', some('VP9', 6));
  const ofClara = await sealed(clara, 'VP9', some('VP9', 6));
  const shows = async (frame) => (await opening.run(received('VP9', [frame], 'key'))).length === 1;
  boris.seat('seat', 'p1');
  assert.ok(await shows(ofAnna[0]));
  assert.ok(!(await shows(ofClara[0])), 'before the server says so');
  boris.now = 1_000;
  boris.seat('seat', 'p3');
  assert.ok(await shows(ofAnna[1]), 'the old one until the keyframe of the new one');
  assert.ok(await shows(ofClara[1]));
  boris.seat('seat', 'p3');
  boris.now = 1_000 + SWITCH_MS - 1;
  assert.ok(await shows(ofAnna[2]));
  boris.now = 1_000 + SWITCH_MS;
  assert.ok(!(await shows(ofAnna[3])));
  assert.ok(await shows(ofClara[2]));
  boris.seat('seat', null);
  assert.ok(await shows(ofClara[3]), 'on the way when she left');
  boris.now += SWITCH_MS;
  assert.ok(!(await shows(ofClara[4])));
  const told = boris.said.filter(({ type }) => type === 'source').map(({ owner }) => owner);
  assert.deepEqual(told, ['p1', 'p3', 'p1', 'p3']);
  assert.deepEqual(boris.of('seat').owner, 'p3');
});

test('a seat that changes hands often lets only the last few through', async () => {
  const { anna, boris } = await annaAndBoris();
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const ofAnna = await sealed(anna, 'VP9', some('VP9', 2));
  boris.seat('seat', 'p1');
  assert.equal((await opening.run(received('VP9', [ofAnna[0]]))).length, 1);
  for (let other = 10; other < 20; other += 1) boris.seat('seat', `p${other}`);
  assert.deepEqual(await opening.run(received('VP9', [ofAnna[1]])), []);
});

test('a key that is missing is asked for seldom, and its frames open once it comes', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  anna.keys(await epochOf(2, 1, [2, 3], { because: 'removal' }));
  const plain = some('VP9', 43, false);
  const all = await sealed(anna, 'VP9', plain);
  assert.deepEqual(await opening.run(received('VP9', all.slice(0, 40))), []);
  assert.deepEqual(boris.asked, [{ type: 'missing', leaf: 1, epoch: 2 }]);
  boris.now = 2_000;
  await opening.run(received('VP9', [all[0]]));
  assert.equal(boris.asked.length, 2);
  boris.keys(await epochOf(2, 2, [1, 3], { because: 'removal' }));
  assert.equal(opening.keyframes, 0);
  assert.deepEqual(await opening.run(received('VP9', all.slice(40, 42))), plain.slice(40, 42));
  assert.equal(opening.keyframes, 0, 'whoever begins under new keys sends a keyframe by themselves');
  boris.now += GREETING_MS;
  await opening.run(received('VP9', all.slice(42)));
  assert.equal(opening.keyframes, 1, 'none came, and what was before is lost: one is asked for');
});

test('a frame that comes before its key waits for it, and those behind it too, in order', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.isPatient = true;
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const sending = anna.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const before = await sending.run(received('VP9', some('VP9', 1)));
  anna.keys(await epochOf(2, 1, [2, 3], { because: 'removal' }));
  const plain = some('VP9', 5, false);
  const after = await sending.run(received('VP9', plain));
  const shown = opening.run(received('VP9', [before[0], ...after]));
  await until(() => boris.of('seat').counters.opened === 1 && boris.later.some(({ delay_ms }) => delay_ms === HOLD_MS));
  boris.pass(HOLD_MS - 1);
  boris.keys(await epochOf(2, 2, [1, 3], { because: 'removal' }));
  assert.deepEqual((await shown).slice(1), plain);
  const { counters, busy_ms } = boris.of('seat');
  assert.equal(counters.no_key, 0);
  assert.equal(busy_ms, 0, 'to wait is no work');
});

test('a frame waits for a key that does not come for a while only, and the next ones then not at all', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.isPatient = true;
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  anna.keys(await epochOf(2, 1, [2, 3], { because: 'removal' }));
  const all = await sealed(anna, 'VP9', some('VP9', 30, false));
  const dropped = opening.run(received('VP9', all.slice(0, 10)));
  await settle();
  assert.equal(boris.of('seat').counters.no_key, 0);
  boris.pass(HOLD_MS);
  assert.deepEqual(await dropped, []);
  assert.equal(boris.of('seat').counters.no_key, 10);
  boris.pass(REST_MS - 1);
  assert.deepEqual(await opening.run(received('VP9', all.slice(10, 20))), []);
  boris.pass(1);
  const again = opening.run(received('VP9', all.slice(20)));
  await settle();
  assert.equal(boris.of('seat').counters.no_key, 20);
  boris.keys(await epochOf(2, 2, [1, 3], { because: 'removal' }));
  assert.equal((await again).length, 10);
});

test('who was late for one epoch is waited for in the next', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.isPatient = true;
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const sending = anna.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const sendsIn = async (epoch) => {
    anna.keys(await epochOf(epoch, 1, [2, 3], { because: 'removal' }));
    return opening.run(received('VP9', await sending.run(received('VP9', some('VP9', 1, false)))));
  };
  const late = sendsIn(2);
  await until(() => boris.later.some(({ delay_ms }) => delay_ms === HOLD_MS));
  boris.pass(HOLD_MS);
  assert.deepEqual(await late, []);
  boris.keys(await epochOf(2, 2, [1, 3], { because: 'removal' }));
  const next = sendsIn(3);
  await settle();
  boris.keys(await epochOf(3, 2, [1, 3], { because: 'removal' }));
  assert.equal((await next).length, 1);
});

test('whoever comes in waits for their first keys: others may be faster to seal under them', async () => {
  const { anna } = await annaAndBoris();
  const newcomer = makeDesk();
  newcomer.isPatient = true;
  newcomer.seat('seat', 'p1');
  const opening = newcomer.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const sending = anna.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const before = await sending.run(received('VP9', some('VP9', 1)));
  anna.keys(await epochOf(2, 1, [2, 3, 4], { because: 'removal' }));
  const after = await sending.run(received('VP9', some('VP9', 3)));
  const shown = opening.run(received('VP9', [...before, ...after]));
  await settle();
  assert.equal(newcomer.of('seat').counters.no_key, 0);
  newcomer.keys(await epochOf(2, 4, [1, 2, 3]));
  assert.equal((await shown).length, 3);
  assert.equal(newcomer.of('seat').counters.no_key, 1);
});

test('what was sealed before this client came in is not waited for once that is known', async () => {
  const { anna, boris } = await annaAndBoris();
  const newcomer = makeDesk();
  newcomer.isPatient = true;
  newcomer.seat('seat', 'p1');
  const opening = newcomer.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const all = await sealed(anna, 'VP9', some('VP9', 5));
  newcomer.keys(await epochOf(2, 4, [1, 2, 3]));
  assert.deepEqual(await opening.run(received('VP9', all)), []);
  assert.equal(newcomer.of('seat').counters.no_key, 5);
  boris.seat('seat', 'p1');
  assert.equal((await boris.lane({ side: 'receive', track: 'seat', kind: 'video' }).run(received('VP9', all))).length, 5, 'whoever was there opens it');
});

test('KIDs that are made up do not flood the key agreement', async () => {
  const { boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const forged = Array.from({ length: 3_000 }, () => Uint8Array.of(0xa0, 0x10 | random(16), random(256), random(20), ...randomBytes(random, 40)));
  assert.deepEqual(await opening.run(received('VP9', forged)), []);
  assert.equal(boris.asked.length, 16);
});

test('newcomers are sent a keyframe as soon as they can open one, once, and nobody else costs one', async () => {
  const { anna } = await annaAndBoris();
  anna.isPatient = true;
  const sending = anna.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const chromium = anna.lane({ side: 'send', track: 'own screen', source: 'screen' }, { isChromium: true });
  const voice = anna.lane({ side: 'send', track: 'own voice', source: 'microphone' });
  const asked = () => anna.said.filter(({ type }) => type === 'keyframe').map(({ track }) => track);
  assert.equal(sending.made, 0, 'nobody joined');
  anna.keys(await epochOf(2, 1, [2, 3, 4], { because: 'join' }));
  anna.pass(JOIN_DELAY_MS - 1);
  assert.equal(sending.made, 0, 'the new keys are not in use yet');
  anna.pass(1);
  assert.equal(sending.made, 1);
  assert.deepEqual(asked(), ['own screen'], 'the page makes it where the transform cannot');
  anna.pass(KEYFRAME_INTERVAL_MS);
  anna.keys(await epochOf(3, 1, [2, 4], { because: 'removal', removed: [3] }));
  assert.equal(sending.made, 1, 'who stays can go on');
  const anew = await epochOf(4, 1, [2], { because: 'removal', removed: [4] });
  anna.keys({ ...anew, members: [...anew.members, await member(4, 4, 'p9', 'another session')] });
  assert.equal(sending.made, 2, 'one went, and another is in their place');
  anna.keys(await epochOf(5, 1, [2, 5], { because: 'join' }));
  anna.pass(JOIN_DELAY_MS);
  assert.equal(sending.made, 2, 'not twice within a second');
  for (const lane of [chromium, voice]) assert.equal(lane.made, 0);
  assert.equal(asked().length, 2);
});

test('the first keys of a stay bring a keyframe: what was encoded before them was not sent', async () => {
  const anna = makeDesk();
  const sending = anna.lane({ side: 'send', track: 'own camera', source: 'camera' });
  assert.deepEqual(await sending.run(received('VP8', some('VP8', 2))), []);
  anna.keys(await epochOf(1, 1, [2]));
  assert.equal(sending.made, 1);
});

test('keyframes are asked for once a second while one is lacking, and no longer', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const all = await sealed(anna, 'VP9', some('VP9', 100, false));
  await opening.run(received('VP9', all.slice(0, 50)));
  assert.equal(opening.keyframes, 1);
  boris.now = KEYFRAME_INTERVAL_MS;
  await opening.run(received('VP9', all.slice(50, 70)));
  assert.equal(opening.keyframes, 2);
  boris.now = 5 * KEYFRAME_INTERVAL_MS;
  await opening.run(received('VP9', all.slice(70, 71), 'key'));
  await opening.run(received('VP9', all.slice(71, 80)));
  assert.equal(opening.keyframes, 2);
  assert.equal(boris.of('seat').keyframes_asked, 2);
});

test('a frame that comes again is no loss: no keyframe is asked for', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const all = await sealed(anna, 'VP9', some('VP9', 3));
  await opening.run(received('VP9', all.slice(0, 1), 'key'));
  await opening.run(received('VP9', [all[0], all[1], all[0], all[2]]));
  assert.equal(boris.of('seat').counters.replayed, 2);
  assert.equal(opening.keyframes, 0);
});

test('under a wrong key nothing is shown and no keyframe is asked for', async () => {
  const { anna } = await annaAndBoris();
  const stranger = makeDesk();
  const message = await epochOf(1, 2, [3]);
  stranger.keys({ ...message, members: [...message.members, await member(1, 1, 'p1', 'guess')] });
  stranger.seat('seat', 'p1');
  const opening = stranger.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const all = await sealed(anna, 'VP9', some('VP9', 30));
  assert.deepEqual(await opening.run(received('VP9', all)), []);
  assert.equal(stranger.of('seat').counters.auth_failed, 30);
  assert.equal(opening.keyframes, 0);
});

test('a removed member opens nothing sealed after the removal, and is not seen after it', async () => {
  const { anna, boris, clara } = await annaAndBoris();
  boris.seat('seat', 'p3');
  clara.seat('seat', 'p1');
  const [atBoris, atClara] = [boris, clara].map((who) => who.lane({ side: 'receive', track: 'seat', kind: 'video' }));
  const before = await sealed(clara, 'VP9', some('VP9', 2));
  assert.equal((await atBoris.run(received('VP9', [before[0]]))).length, 1);
  anna.keys(await epochOf(2, 1, [2], { because: 'removal', removed: [3] }));
  boris.keys(await epochOf(2, 2, [1], { because: 'removal', removed: [3] }));
  assert.deepEqual(await atBoris.run(received('VP9', [before[1]])), []);
  assert.deepEqual(await atClara.run(received('VP9', await sealed(anna, 'VP9', some('VP9', 5)))), []);
});

test('old keys are forgotten also when no frame comes', async () => {
  const { boris } = await annaAndBoris();
  boris.keys(await epochOf(2, 2, [1], { because: 'join' }));
  const { act } = boris.later.find(({ delay_ms }) => delay_ms === KEEP_MS);
  boris.now = KEEP_MS;
  act();
  boris.now = 0; // Were they only past their time, they would be found again now.
  boris.seat('seat', 'p1');
  const { anna } = await annaAndBoris();
  assert.deepEqual(await boris.lane({ side: 'receive', track: 'seat', kind: 'video' }).run(received('VP9', await sealed(anna, 'VP9', some('VP9', 1)))), []);
});

/** What a server, or whoever speaks in its place, might send to switch encryption off. */
function fuzzedMessage(given) {
  const values = [null, false, true, 0, 1, '', 'none', 'NONE', 'off', 'p1', 'person', 'screen', 'seat', 'own camera', [], {}, { owner: 'p1', kind: 'person' }, { owner: 'p3', kind: 'screen', encryption: 'none' }];
  const names = ['type', 'track', 'feed', 'encryption', 'enabled', 'mode', 'id', 'kind', 'codec', 'passthrough', 'epoch', 'members', 'own', 'call', 'because', 'removed', 'member', 'key', 'side'];
  const types = ['seat', 'keys', 'report', 'epoch', 'member', 'disable', 'encryption', 'clear'];
  const message = given(3) ? { type: types[given(types.length)] } : {};
  for (let count = given(6); count > 0; count -= 1) message[names[given(names.length)]] = values[given(values.length)];
  return given(30) ? message : values[given(values.length)];
}

/** Whether nothing of a frame is readable in what is sent of it, and nothing shown of what comes as it is. */
async function staysClosed(sending, opening) {
  const [plain] = some('VP8', 1);
  const sent = await sending.run(received('VP8', [plain]));
  const shown = await opening.run(received('VP8', [plain]));
  return sent.length === 1 && !shares(plain.subarray(10), sent[0]) && shown.length === 0;
}

test('no message makes this client send or show a clear frame (T8)', async () => {
  const given = seeded(1234);
  const { boris } = await annaAndBoris();
  const sending = boris.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  for (let round = 0; round < 2_000; round += 1) {
    boris.desk.page(fuzzedMessage(given), given(10) ? [] : [{ postMessage: () => {}, onmessage: null }]);
    boris.keys(fuzzedMessage(given));
    assert.ok(await staysClosed(sending, opening), `round ${round}`);
  }
  const { refused_messages: refused, tracks } = boris.desk.report();
  assert.ok(refused > 1_000, `${refused}`);
  assert.equal(tracks[0].counters.sealed, 2_000);
});

test('a client that let frames pass would fail the check of T8', async () => {
  const { boris } = await annaAndBoris();
  const sending = boris.lane({ side: 'send', track: 'own camera', source: 'camera' });
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const passing = { run: async (frames) => frames.map(({ data }) => new Uint8Array(data)) };
  assert.ok(await staysClosed(sending, opening));
  assert.ok(!(await staysClosed(passing, opening)), 'sent as it was');
  assert.ok(!(await staysClosed(sending, passing)), 'shown as it came');
});

test('a transform with options that are not understood, a name twice or one too many lets nothing through', async () => {
  const { boris } = await annaAndBoris();
  const bad = [null, 7, {}, { side: 'send', track: 'x' }, { side: 'receive', track: 'x', kind: 'text' }, { side: 'both', track: 'x', source: 'camera' }, { side: 'send', track: '', source: 'camera' }];
  const lanes = bad.map((options) => boris.lane(options));
  boris.lane({ side: 'send', track: 'twice', source: 'camera' });
  lanes.push(boris.lane({ side: 'send', track: 'twice', source: 'camera' }));
  for (const lane of lanes) {
    lane.controller.enqueue(frameOf('VP9', some('VP9', 1)[0]));
    await lane.end();
    assert.deepEqual(lane.out, []);
  }
  assert.equal(boris.desk.report().refused_messages, lanes.length);
  for (let count = 0; count < 200; count += 1) boris.lane({ side: 'receive', track: `track ${count}`, kind: 'video' });
  assert.equal(boris.desk.report().tracks.length, 100);
});

test('keys that could be read out, or are no keys, are refused', async () => {
  const { desk, keys } = makeDesk();
  const good = await epochOf(1, 1, [2]);
  const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
  const half = await crypto.subtle.importKey('raw', new Uint8Array(16), 'HKDF', false, ['deriveBits']);
  const bad = [
    { ...good, own: { leaf: 1, base: new Uint8Array(16) } }, { ...good, own: { leaf: 1, base: aes } }, { ...good, own: { leaf: 1, base: half } },
    { ...good, own: { leaf: 4_096, base: good.own.base } }, { ...good, call: good.call.subarray(1) }, { ...good, call: 'call' }, { ...good, because: 'why not' },
    { ...good, epoch: -1 }, { ...good, epoch: 1.5 }, { ...good, members: [{ ...good.members[0], owner: 7 }] }, { ...good, members: null }, { ...good, removed: ['2'] },
    { ...good, members: Array.from({ length: 1_025 }, () => good.members[0]) }, { type: 'member', epoch: 1, member: null }, { type: 'member', epoch: 9, member: good.members[0] },
  ];
  for (const message of bad) keys(message);
  assert.equal(desk.report().refused_messages, bad.length);
  assert.equal(desk.report().epoch, null);
  keys(good);
  assert.equal(desk.report().epoch, 1);
});

test('the lock is computed from what was sealed, opened and refused, and from nothing else', async () => {
  const { anna, boris } = await annaAndBoris();
  boris.seat('seat', 'p1');
  const opening = boris.lane({ side: 'receive', track: 'seat', kind: 'video' });
  const start = boris.desk.report();
  assert.equal(lockOf(null, start), 'idle');
  const all = await sealed(anna, 'VP9', some('VP9', 3));
  await opening.run(received('VP9', all.slice(0, 2)));
  const flowing = boris.desk.report();
  assert.equal(lockOf(start, flowing), 'closed');
  assert.equal(lockOf(flowing, boris.desk.report()), 'idle');
  const changed = all[2].slice();
  changed[20] ^= 1;
  await opening.run(received('VP9', [changed]));
  assert.equal(lockOf(flowing, boris.desk.report()), 'attacked');
  await opening.end();
  const ended = boris.desk.report();
  assert.deepEqual([ended.tracks.length, ended.past.opened, ended.past.auth_failed], [0, 2, 1], 'what a track counted outlives it');
  assert.equal(lockOf(flowing, ended), 'attacked');
  assert.equal(anna.desk.report().tracks[0].counters.sealed, 3);
});

test('a second port of keys is refused: keys come from one place', async () => {
  const { desk, keys } = makeDesk();
  keys(await epochOf(1, 1, [2]));
  const other = { postMessage: () => {}, onmessage: null };
  desk.page({ type: 'keys' }, [other]);
  assert.equal(other.onmessage, null);
  assert.equal(desk.report().refused_messages, 1);
  assert.ok(await base(1, 1));
});
