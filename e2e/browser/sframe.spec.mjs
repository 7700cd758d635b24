// The client's own media worker in real browsers: what one end seals the other sees and hears, with every codec that a browser has, and
// nobody else does. Two connections without a server between them.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { launchChromium } from './lib/chromium.mjs';
import { hears, hearsNothingOf, noComplaints, sees, seesMotion, sendsCodec } from './lib/eyes.mjs';
import { launchFirefox } from './lib/firefox.mjs';
import { serveLoopback } from './lib/loopback.mjs';
import { mediaOf } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

const CODECS = ['VP8', 'VP9', 'H264', 'AV1'];
/** Debian's Firefox has no H.264. */
const CODECS_OF = { chromium: CODECS, firefox: CODECS.filter((each) => each !== 'H264') };
const LAUNCH = { chromium: launchChromium, firefox: launchFirefox };
const ROUNDS = Number(process.env.WEBCALL_JOINS ?? 3);
const LOOKS = 10;
/** Frames of each kind after which a picture or a tone would long be there. */
const ENOUGH = { video: 40, audio: 100 };
/**
 * What no frame may be counted as when everything is as it should be. Not among them: frames from before the first key came, and repeated
 * ones (Chromium pads with packets that it has sent before, and gives the same frame to the transform again).
 */
const FAULTS = ['auth_failed', 'malformed', 'clear_refused', 'unknown_codec', 'foreign', 'failed'];

let server;
const browsers = {};
before(async () => {
  server = await serveLoopback();
});
after(async () => {
  server.close();
  await Promise.all(Object.values(browsers).map(async (browser) => (await browser).close()));
});

/** A page at the loopback; its own synthetic devices are what it, or another page, is to see. */
async function pageIn(engine, index = 0) {
  browsers[engine] ??= LAUNCH[engine]();
  const page = await (await browsers[engine]).page(`${engine} ${index}`, mediaOf(index), {});
  page.username = 'anna';
  await page.goto(server.url);
  await page.waitFor('the page', () => window.loopback !== undefined);
  return page;
}

/** Runs the body with pages and closes them; none may have broken the content policy or thrown. */
async function withPages(engines, body) {
  const pages = [];
  for (const [index, engine] of engines.entries()) pages.push(await pageIn(engine, index));
  try {
    await body(...pages);
    await noComplaints(pages, []);
  } finally {
    await Promise.all(pages.map((page) => page.close()));
  }
}

const send = (page, options) => page.evaluate((given) => window.loopback.send(given), options);
const receive = (page, sdp, options) => page.evaluate((...given) => window.loopback.receive(...given), sdp, options);
const accept = (page, sdp) => page.evaluate((given) => window.loopback.accept(given), sdp);
const keys = (page, side, options) => page.evaluate((...given) => window.loopback.keys(...given), side, options);
const report = (page, side) => page.evaluate((given) => window.loopback.report(given), side);

/** Sets up a call between two ends, in one page or in two. */
async function call(sender, receiver, codec, { sending = {}, receiving = {} } = {}) {
  await accept(sender, await receive(receiver, await send(sender, { codec, ...sending }), receiving));
}

/** Waits until so many frames of both kinds were counted under one of these names at the receiving end. */
const counted = (page, names, enough = ENOUGH) =>
  page.waitFor(
    `${names.join(' or ')} to be counted`,
    async (wanted, least) => {
      const { tracks } = await window.loopback.report('receive');
      const count = ({ counters }) => wanted.reduce((sum, name) => sum + counters[name], 0);
      return tracks.length === 2 && tracks.every((track) => count(track) >= (track.context === 'microphone' || track.track === 'track-1' ? least.audio : least.video)) && tracks;
    },
    [names, enough],
  );

function assertNoFaults({ tracks, past, refused_messages: refused }, side) {
  for (const { track, counters } of [...tracks, { track: 'past', counters: past }]) {
    for (const name of FAULTS) assert.equal(counters[name], 0, `${side} ${track}: ${name} in ${JSON.stringify(counters)}`);
  }
  assert.equal(refused, 0);
}

/** Neither the colour in its pictures nor the tone, of whatever is shown: a picture of somebody has it in every look, noise by chance in some. */
async function showsNothingOf(page, person) {
  const wanted = [1, 3, 5].map((at) => Number.parseInt(person.media.colour.slice(at, at + 2), 16));
  const isLike = (seen) => seen !== null && seen.colour.every((part, index) => Math.abs(part - wanted[index]) <= 60);
  const looks = [];
  while (looks.length < LOOKS) {
    looks.push(await page.evaluate(() => window.webcallTest.look({ username: 'anna' })));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(looks.filter(isLike).length < LOOKS / 2, `saw ${JSON.stringify(looks)}`);
  await hearsNothingOf(page, person);
}

/** The picture moves, the tone sounds, through a change of keys too, and every frame was sealed and opened. */
async function seesAndHearsThroughAChange(sender, receiver, codec) {
  await seesMotion(receiver, sender);
  await hears(receiver, sender);
  const before = await report(receiver, 'receive');
  await keys(receiver, 'receive', { epoch: 2, because: 'removal', secret: 'next' });
  await keys(sender, 'send', { epoch: 2, because: 'removal', secret: 'next' });
  await receiver.waitFor('the new epoch', async () => (await window.loopback.report('receive')).epoch === 2);
  await seesMotion(receiver, sender);
  await hears(receiver, sender);
  const [sealed, opened] = [await report(sender, 'send'), await report(receiver, 'receive')];
  assert.equal(await sendsCodec(sender), codec);
  assertNoFaults(sealed, 'sending');
  assertNoFaults(opened, 'receiving');
  assert.deepEqual(new Set(opened.sources.map(({ owner, context }) => `${owner} ${context}`)), new Set(['p1 microphone', 'p1 camera']));
  for (const { counters } of [...sealed.tracks, ...opened.tracks]) assert.ok(counters.sealed + counters.opened >= 10, JSON.stringify(counters));
  opened.tracks.forEach(({ counters }, index) => assert.equal(counters.no_key, before.tracks[index].counters.no_key, 'the change cost no frame'));
  return { sealed, opened };
}

const cost = ({ tracks }) => tracks.map(({ context, busy_ms, counters }) => `${context} ${((busy_ms / (counters.sealed + counters.opened)) * 1000).toFixed(0)} µs`).join(', ');

// Some at a time: most of it is waiting for frames.
describe('one browser and one codec', { concurrency: 4 }, () => {
  for (const engine of ['chromium', 'firefox']) {
    for (const codec of CODECS_OF[engine]) {
      test(`what is sealed with ${codec} is seen and heard (${engine})`, () =>
        withPages([engine], async (page) => {
          await call(page, page, codec);
          const { sealed, opened } = await seesAndHearsThroughAChange(page, page, codec);
          console.log(`transform of a frame (${engine}, ${codec}): sending ${cost(sealed)}; receiving ${cost(opened)}`);
        }));

      test(`a wrong key shows nothing with ${codec}, the right one does (${engine})`, () =>
        withPages([engine], async (page) => {
          await call(page, page, codec, { receiving: { secret: 'guessed' } });
          const tracks = await counted(page, ['auth_failed']);
          for (const { counters } of tracks) assert.equal(counters.opened, 0);
          await showsNothingOf(page, page);
          await page.evaluate(() => window.loopback.hello(1, 'ours'));
          await sees(page, page);
          await hears(page, page);
        }));

      test(`a frame that nobody sealed is not shown with ${codec} (${engine}, T9)`, () =>
        withPages([engine], async (page) => {
          await call(page, page, codec, { sending: { encrypted: false } });
          const tracks = await counted(page, ['clear_refused', 'malformed', 'no_key', 'foreign', 'auth_failed', 'unknown_codec']);
          for (const { counters } of tracks) assert.equal(counters.opened, 0);
          await showsNothingOf(page, page);
        }));

      test(`whoever has no key sees and hears nothing of ${codec} (${engine})`, () =>
        withPages([engine], async (page) => {
          await call(page, page, codec, { receiving: { encrypted: false } });
          await page.waitFor('frames to arrive', async () => {
            const { tracks } = await window.loopback.report('send');
            return tracks.length === 2 && tracks.every(({ counters }) => counters.sealed > 100);
          });
          await showsNothingOf(page, page);
        }));
    }
  }
});

test('the same ends without encryption show the picture to whoever is between', () =>
  withPages(['chromium'], async (page) => {
    await call(page, page, 'VP8', { sending: { encrypted: false }, receiving: { encrypted: false } });
    await seesMotion(page, page);
    await hears(page, page);
  }));

for (const engines of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
  for (const codec of variants(CODECS_OF.firefox)) {
    test(`${engines[1]} sees and hears what ${engines[0]} seals with ${codec}`, () =>
      withPages(engines, async (sender, receiver) => {
        await call(sender, receiver, codec);
        await seesAndHearsThroughAChange(sender, receiver, codec);
      }));
  }
}

for (const engine of ['chromium', 'firefox']) {
  test(`somebody whom the server seats wrongly is not shown, and is once the seat is told right (${engine}, T11)`, () =>
    withPages([engine], async (page) => {
      await call(page, page, 'VP8', { receiving: { owner: 'p7' } });
      await counted(page, ['foreign']);
      await showsNothingOf(page, page);
      await page.evaluate(() => window.loopback.seat('p1'));
      await seesMotion(page, page);
      await hears(page, page);
    }));

  test(`the first picture comes after opening the connections, ${ROUNDS} times each way (${engine})`, () =>
    withPages([engine], async (page) => {
      const first = (how) => page.evaluate((given) => window.loopback.firstFrame('VP8', given), how);
      await first('sealed');
      const times = { plain: [], sealed: [], 'sealed, worker not started before': [] };
      for (let round = 0; round < ROUNDS; round += 1) for (const [how, all] of Object.entries(times)) all.push(await first(how));
      const told = Object.entries(times).map(([name, all]) => `${name} ${all.map(Math.round).sort((one, other) => one - other).join(' ')}`);
      console.log(`first picture (${engine}, VP8, ms): ${told.join('; ')}`);
      assert.equal(times.sealed.length, ROUNDS);
    }));
}
