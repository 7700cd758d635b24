// Encrypted calls with every codec, through all that changes what a frame is or where it goes: layers of the camera, a shared screen, a seat that
// somebody else gets, a pause. The clients' own counters say that every frame was sealed and opened as it must be. How long a first picture takes
// is printed beside the same in an open room (in Chromium; how it is in Firefox `first-frame.spec.mjs` says in `e2e/long variants`); nothing is asserted of it. Twenty joins in
// e2e/long, one here.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hears, sees, seesMotion, seesNothingOf, sendsCodec } from './lib/eyes.mjs';
import { during, inCall, ownParticipant, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

const JOINS = Number(process.env.WEBCALL_JOINS ?? 1);
/** Debian's Firefox has no H.264; frames of its other codecs are sealed and opened in every run by `sframe.spec.mjs`. */
const CODECS_OF = { chromium: ['VP8', 'VP9', 'H264', 'AV1'], firefox: variants(['VP8', 'VP9', 'AV1']) };
const REST_MS = 500;
/** Wide enough for two layers of the camera (`web/rtc/encodings.js`). */
const LAYERED = { width: 480, height: 270 };
/** The large layer comes once the browser's own estimate of the way has grown, which takes a busy machine a while. */
const GROWING_MS = 120_000;
/**
 * What no frame may be counted as. Not among them: frames that come before their key or before the word of who sits there, and repeated ones,
 * which browsers send as padding.
 */
const FAULTS = ['auth_failed', 'malformed', 'clear_refused', 'unknown_codec', 'failed'];

async function all(pages) {
  for (const page of pages) {
    for (const other of pages.filter((each) => each !== page)) {
      await seesMotion(page, other);
      await hears(page, other);
    }
  }
}

const report = (page) => page.evaluate(() => window.webcallTest.shield());

/** Every frame of this page's stay was as it must be, under a closed lock. @returns its report */
async function unharmed(page) {
  const { tracks, past, ...rest } = await report(page);
  for (const { track, side, counters } of [...tracks, { track: 'past', counters: past }]) {
    for (const name of FAULTS) assert.equal(counters[name], 0, `${page.label}, ${side} ${track}: ${name} in ${JSON.stringify(counters)}`);
  }
  assert.equal(rest.refused_messages, 0);
  await page.see('.call-header [data-encryption="closed"]');
  return tracks;
}

/** Whose camera each track of a page shows. */
const shownOn = (tracks) => Object.fromEntries(tracks.filter(({ side, context }) => side === 'receive' && context === 'camera').map(({ track, owner }) => [track, owner]));

/** A person looks at themselves before they join: what a page does by itself when it is opened is over by then. */
function atRest(page) {
  const isOver = (still_ms) => performance.now() - Math.max(...performance.getEntriesByType('resource').map(({ responseEnd }) => responseEnd)) > still_ms;
  return page.waitFor('the page to be at rest', isOver, [REST_MS]);
}

/** The guest goes and comes back so often. @returns how long it took each time from the click to a first picture of somebody else, in ms */
async function comesBack(guest, host, room, table, codec) {
  const times_ms = [];
  for (let round = 0; round < JOINS; round += 1) {
    await guest.click('leave');
    await guest.see('[data-page="ended"]');
    await seesNothingOf(host, guest);
    await table.prejoin(guest, room, { codec });
    await atRest(guest);
    await guest.evaluate(() => window.webcallTest.armFirstFrame('join-call'));
    await guest.click('join-call');
    times_ms.push(await guest.waitFor('a first picture', () => window.webcallTest.first_frame_ms));
    await inCall(guest);
  }
  return times_ms.map(Math.round);
}

/** Frames that each layer of a page's camera has sent, smallest first; only those that have any. */
function layers(page) {
  return page.evaluate(async () => {
    const rows = [...(await window.webcallTest.connections.at(-1).getStats()).values()];
    const sent = rows.filter(({ type, kind, rid, framesEncoded }) => type === 'outbound-rtp' && kind === 'video' && rid && framesEncoded > 0);
    return sent.map(({ framesEncoded }) => framesEncoded);
  });
}

/** Windows in which the host's picture needs the large layer, the small one, and the large one again. */
const WINDOWS = [{ width: 1600, height: 1000, rid: 'f' }, { width: 220, height: 400, rid: 'h' }, { width: 1600, height: 1000, rid: 'f' }];

const videoRows = async (page, type) => (await page.evaluate(async () => [...(await window.webcallTest.connections.at(-1).getStats()).values()])).filter((row) => row.type === type && row.kind === 'video');

/** The receiver has the server send it another layer of the same camera: a whole picture, as wide as that layer. Firefox makes the large one of VP9 smaller where it has not the time. */
async function changesLayers(page, other) {
  let keyframes = 0;
  for (const { width, height, rid } of WINDOWS) {
    await page.resize(width, height);
    await page.until(`the other's layer ${rid}`, async () => {
      const [received] = (await videoRows(page, 'inbound-rtp')).filter(({ framesDecoded }) => framesDecoded > 0);
      const sent = (await videoRows(other, 'outbound-rtp')).find((row) => row.rid === rid);
      const isIt = received?.keyFramesDecoded > keyframes && received.frameWidth === sent?.frameWidth;
      if (isIt) keyframes = received.keyFramesDecoded;
      return isIt;
    }, GROWING_MS);
    await seesMotion(page, other);
  }
}

for (const [engine, codecs] of Object.entries(CODECS_OF)) {
  for (const codec of codecs) {
    test(`every frame is sealed and opened with ${codec}: two layers and the change between them, a shared screen, a seat that changes, a pause (${engine})`, () =>
      during(party(), async (table) => {
        const pages = [await table.person(engine, { media: LAYERED }), await table.person(engine)];
        const [host, guest] = pages;
        const times = {};
        for (const encryption of engine === 'chromium' ? ['open', 'mls'] : ['mls']) {
          const room = await table.room(pages, { encryption });
          await table.join(pages, room, { codec });
          await all(pages);
          if (encryption === 'open') {
            times.open = await comesBack(guest, host, room, table, codec);
            for (const page of pages) await page.click('leave');
            continue;
          }
          const before = shownOn(await unharmed(host));
          await unharmed(guest);
          times.mls = await comesBack(guest, host, room, table, codec);
          await all(pages);
          const now = await ownParticipant(guest);
          const seats = Object.entries(shownOn(await unharmed(host))).filter(([, owner]) => owner === now);
          assert.ok(seats.length === 1 && before[seats[0][0]] !== undefined && before[seats[0][0]] !== now, `the same seat shows another: ${JSON.stringify({ before, seats })}`);
        }
        await changesLayers(guest, host);
        await unharmed(guest);
        await host.click('toggle-screen');
        await sees(guest, host, { kind: 'screen' });
        await guest.click('toggle-camera');
        await seesNothingOf(host, guest);
        await guest.click('toggle-camera');
        await all(pages);
        await host.click('toggle-screen');
        await all(pages);
        for (const page of pages) {
          const tracks = await unharmed(page);
          for (const side of ['send', 'receive']) assert.ok(tracks.some((track) => track.side === side && track.context !== 'microphone' && track.counters.sealed + track.counters.opened >= 10), `${page.label} ${side}`);
          assert.equal(await sendsCodec(page), codec);
        }
        assert.equal((await layers(host)).length, 2, 'both layers of the camera are sent');
        console.log(`click to first picture (${engine}, ${codec}, ms): encrypted ${times.mls.join(' ')}, open ${times.open?.join(' ') ?? 'not tried'}`);
      }));
  }
}
