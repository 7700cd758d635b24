// The client's own media worker in Chromium while somebody puts frames into its tracks: hostile ones by the thousand (T15), and those that it has
// seen (T10). Only a server can do that to a real call: it gives each sender's packets on under that sender's own numbers, and a participant has no
// way to another's; so here somebody stands before the worker's door, or takes the place of what a real connection carries.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchChromium } from './lib/chromium.mjs';
import { hears, noComplaints, seesMotion } from './lib/eyes.mjs';
import { serveLoopback } from './lib/loopback.mjs';
import { mediaOf } from './lib/party.mjs';

const CODECS = ['VP8', 'VP9', 'H264', 'AV1'];
/** Hostile frames of one test, of sound and pictures together. */
const SWARM = 10_000;
/** Between two good frames that come out. A frame whose number names no key holds a track for 0.4 s, now and then (`hold.js`); a worker that stalls is silent for ever. */
const GAP_BOUND_MS = 3_000;
/** Good frames of each track. */
const ENOUGH = 60;

let server;
let browser;
before(async () => {
  server = await serveLoopback();
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
  server.close();
});

/** A page with both ends of a call, of which one is besieged; nothing is done yet, and it is seen and heard. */
async function underSiege(codec, side, body) {
  const page = await browser.page('anna', mediaOf(0), {});
  page.username = 'anna';
  try {
    await page.goto(server.url);
    await page.waitFor('the page', () => window.loopback !== undefined);
    await page.evaluate(begin, codec, side);
    await isWhole(page);
    await body(page);
    await noComplaints([page], []);
  } finally {
    await page.close();
  }
}

/** In the page. */
async function begin(codec, side) {
  const sdp = await window.loopback.send({ codec, besieged: side === 'send' });
  await window.loopback.accept(await window.loopback.receive(sdp, { besieged: side === 'receive' }));
}

/** Picture and tone are there, and run on. */
async function isWhole(page) {
  await seesMotion(page, page);
  await hears(page, page);
}

const siege = (page, message) => page.evaluate((given) => window.loopback.besiege(given), message);
const counters = async (page) => (await page.evaluate(() => window.loopback.report('receive'))).tracks.map((track) => track.counters);
const total = (tracks, name) => tracks.reduce((sum, track) => sum + track[name], 0);

/** Goes on in this mode until so much is done, and gives what was, with how the receiver's counters rose by it once all of it was counted. */
async function during(page, mode, done) {
  const earlier = await counters(page);
  await siege(page, { type: 'begin', mode });
  await page.until(`enough of "${mode}"`, async () => done((await siege(page, { type: 'look' })).tracks));
  const seen = await siege(page, { type: 'end' });
  assert.deepEqual(seen.errors, [], 'nothing is thrown in the worker');
  const rises = async () => (await counters(page)).map((now, index) => Object.fromEntries(Object.entries(now).map(([name, count]) => [name, count - earlier[index][name]])));
  return { tracks: seen.tracks, rises };
}

const refused = ({ opened: _, ...others }) => Object.values(others).reduce((sum, count) => sum + count, 0);

for (const codec of CODECS) {
  test(`t15: ${SWARM} hostile frames between good ones are counted, and keep none of the good ones waiting (${codec})`, () =>
    underSiege(codec, 'receive', async (page) => {
      const peace = await during(page, 'peace', (tracks) => tracks.every(({ good }) => good >= ENOUGH));
      const swarm = await during(page, 'swarm', (tracks) => total(tracks, 'forged') >= SWARM);
      const rises = await page.until('all of them to be counted', async () => {
        const all = await swarm.rises();
        return swarm.tracks.every(({ good, forged }, index) => all[index].opened >= good && refused(all[index]) >= forged) && all;
      });
      const began_ms = performance.now();
      await isWhole(page);
      const gaps = ({ tracks }) => tracks.map(({ longest_ms }) => Math.round(longest_ms)).join(' and ');
      console.log(`T15 (${codec}): ${total(swarm.tracks, 'forged')} hostile, ${total(swarm.tracks, 'good')} good; longest time without a good one ${gaps(swarm)} ms (before: ${gaps(peace)} ms); whole again after ${Math.round(performance.now() - began_ms)} ms`);
      for (const rise of rises) {
        assert.equal(rise.failed, 0, 'no fault of ours');
        assert.ok(rise.auth_failed > 0 && rise.malformed > 0 && rise.clear_refused > 0, JSON.stringify(rise));
      }
      for (const { longest_ms } of swarm.tracks) assert.ok(longest_ms < GAP_BOUND_MS, `${longest_ms} ms`);
    }));
}

test('t15 control: a track on which nothing comes out for a while is found to have stood still', () =>
  underSiege('VP8', 'receive', async (page) => {
    await siege(page, { type: 'begin', mode: 'peace' });
    await page.until('good frames', async () => (await siege(page, { type: 'look' })).tracks.every(({ out }) => out > ENOUGH));
    await siege(page, { type: 'end', mode: 'withheld' });
    await new Promise((resolve) => setTimeout(resolve, GAP_BOUND_MS));
    await siege(page, { type: 'end' });
    await page.until('the gap to be over', async () => (await siege(page, { type: 'look' })).tracks.every(({ longest_ms }) => longest_ms >= GAP_BOUND_MS));
  }));

test('t10: frames that come again, old ones and those of another track are not shown, and good ones go on beside them', () =>
  underSiege('VP9', 'receive', async (page) => {
    const earlier = await during(page, 'peace', (tracks) => tracks.every(({ good }) => good >= ENOUGH));
    const replays = await earlier.rises();
    await siege(page, { type: 'begin', mode: 'again' });
    await isWhole(page);
    const again = await during(page, 'again', (tracks) => tracks.every(({ good }) => good >= ENOUGH));
    const rises = await page.until('all of them to be counted', async () => {
      const all = await again.rises();
      return again.tracks.every(({ good, forged }, index) => all[index].opened >= good && refused(all[index]) >= forged) && all;
    });
    console.log(`T10: ${JSON.stringify(again.tracks)} gave ${JSON.stringify(rises.map(({ opened, replayed, foreign }) => ({ opened, replayed, foreign })))}; before ${JSON.stringify(replays.map(({ replayed }) => replayed))} replayed`);
    for (const [index, { good, out }] of again.tracks.entries()) {
      assert.ok(rises[index].replayed >= 3 * good && rises[index].foreign >= good, JSON.stringify(rises[index]));
      assert.ok(out <= good + 1, 'no more came out than was good');
    }
    await isWhole(page);
  }));

for (const mode of ['instead', 'swapped']) {
  test(`t10 control: good bytes are opened, though they come ${mode === 'instead' ? 'as the repeated ones do' : 'in another order'}`, () =>
    underSiege('VP9', 'receive', async (page) => {
      const { tracks, rises } = await during(page, mode, (all) => all.every(({ good }) => good >= ENOUGH));
      // One may wait for the next, where they come by twos.
      const opened = await page.until('them to be opened', async () => {
        const now = await rises();
        return now.every((rise, index) => rise.opened >= tracks[index].good - 1) && now;
      });
      for (const rise of opened) assert.equal(refused(rise), rise.replayed, JSON.stringify(rise));
      for (const [index, rise] of opened.entries()) assert.ok(rise.replayed < tracks[index].good / 10, JSON.stringify(rise));
    }));
}

test('t10: of a connection on which every second frame is one of those before only the others are shown', () =>
  underSiege('VP8', 'send', async (page) => {
    const peace = await (await during(page, 'peace', (tracks) => tracks.every(({ good }) => good >= ENOUGH))).rises();
    const replaced = await during(page, 'replaced', (tracks) => tracks.every(({ forged }) => forged >= ENOUGH));
    await page.until('repeated frames to be refused', async () => (await replaced.rises()).every(({ replayed }) => replayed >= ENOUGH * 0.8));
    const rises = await replaced.rises();
    const [opened, sealed] = [await counters(page), (await page.evaluate(() => window.loopback.report('send'))).tracks.map((track) => track.counters)];
    for (const [index, { forged }] of replaced.tracks.entries()) {
      // Those that others went in the place of were never sent.
      assert.ok(opened[index].opened <= sealed[index].sealed - forged, JSON.stringify([opened[index], sealed[index], forged]));
    }
    console.log(`T10, over a connection: ${JSON.stringify(replaced.tracks.map(({ good, forged }) => ({ good, forged })))} gave ${JSON.stringify(rises.map(({ opened, replayed }) => ({ opened, replayed })))}; before ${JSON.stringify(peace.map(({ replayed }) => replayed))} replayed`);
    await isWhole(page);
  }));
