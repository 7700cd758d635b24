// What a person in front of a page sees and hears: whose picture it is, that it moves, whose voice sounds. Every wait is bounded and
// none asserts a time.

import assert from 'node:assert/strict';

import { BOUND_MS } from './page.mjs';

/** How far a colour may be off after a codec had it: the nearest two in use are more than twice as far apart. */
const COLOUR_TOLERANCE = 60;
/** A tone of the palette is 90 Hz from the next; a bin of the ear is 12 Hz wide. */
const TONE_TOLERANCE_HZ = 30;
/** A voice is at -25 dB where it is heard at all. */
const AUDIBLE_DB = -55;

/** Waits until `page` shows the picture of `person`, in their colour. `who` may name a kind or a participant. */
export function sees(page, person, who = {}, bound_ms = BOUND_MS) {
  const expected = rgb(who.kind === 'screen' ? person.media.screen_colour : (who.colour ?? person.media.colour));
  return page.waitFor(
    `the ${who.kind ?? 'picture'} of ${person.label} in ${expected}`,
    (wanted, colour, tolerance) => {
      const seen = window.webcallTest.look(wanted);
      return seen !== null && seen.colour.every((part, index) => Math.abs(part - colour[index]) <= tolerance) && seen;
    },
    [addressed(person, who), expected, COLOUR_TOLERANCE],
    bound_ms,
  );
}

/** Waits until the counter in the picture of `person` has changed `changes` times. */
export async function seesMotion(page, person, who = {}, changes = 5) {
  let last = (await sees(page, person, who)).counter;
  for (let count = 0; count < changes; count += 1) {
    last = await page.waitFor(
      `the counter of ${person.label} to run on from ${last}`,
      (wanted, before) => {
        const seen = window.webcallTest.look(wanted);
        return seen !== null && seen.counter !== before && { counter: seen.counter };
      },
      [addressed(person, who), last],
    ).then(({ counter }) => counter);
  }
}

/** Waits until there is no picture of `person` to be seen. */
export function seesNothingOf(page, person, who = {}) {
  return page.waitFor(`no picture of ${person.label}`, (wanted) => window.webcallTest.look(wanted) === null, [addressed(person, who)]);
}

/** Waits until `page` plays the tone of `person`. */
export function hears(page, person, who = {}, bound_ms = BOUND_MS) {
  const tone_hz = who.kind === 'screen' ? person.media.screen_tone_hz : person.media.tone_hz;
  return page.waitFor(
    `the tone of ${person.label}, ${tone_hz} Hz`,
    (wanted, hz, tolerance_hz, audible_db) => {
      const heard = window.webcallTest.hear(wanted);
      return heard !== null && heard.level_db > audible_db && Math.abs(heard.hz - hz) <= tolerance_hz && heard;
    },
    [addressed(person, who), tone_hz, TONE_TOLERANCE_HZ, AUDIBLE_DB],
    bound_ms,
  );
}

/** Waits until nothing of `person` sounds any more. */
export function hearsNothingOf(page, person, who = {}) {
  return page.waitFor(
    `silence of ${person.label}`,
    (wanted, audible_db) => {
      const heard = window.webcallTest.hear(wanted);
      return heard === null || heard.level_db < audible_db;
    },
    [addressed(person, who), AUDIBLE_DB],
  );
}

/** Looks out in `page`, until it is loaded anew, for pictures and voices of these people, whoever they are said to be of. */
export function looksOutFor(page, people) {
  const wanted = people.map(({ label, media }) => ({ label, colour: rgb(media.colour), tone_hz: media.tone_hz }));
  const tolerances = { colour_tolerance: COLOUR_TOLERANCE, tone_tolerance_hz: TONE_TOLERANCE_HZ, audible_db: AUDIBLE_DB };
  return page.evaluate((...given) => window.webcallTest.lookOut(...given), wanted, tolerances);
}

/** What was noted since `looksOutFor`: such as `picture of boris as clara`, sorted. */
export async function noted(page) {
  return Object.keys(await page.evaluate(() => window.webcallTest.noted ?? {})).sort();
}

/** Waits until exactly this was noted: what is noted once stays. */
export function notes(page, expected) {
  const wanted = JSON.stringify(expected.toSorted());
  return page.until(`${wanted} to be noted`, async () => JSON.stringify(await noted(page)) === wanted);
}

/**
 * Waits until `page` has refused so many more frames on each of so many lines, for this reason: a name of `web/e2ee/media/counters.js`. One person
 * has two lines, one of pictures and one of sound.
 */
export async function refuses(page, why, { lines, frames = 60 }) {
  const counts = async () => {
    const report = await page.evaluate(() => window.webcallTest.shield());
    return new Map((report?.tracks ?? []).map(({ track, counters }) => [track, counters[why]]));
  };
  const before = await counts();
  await page.until(`${frames} frames refused as ${why} on ${lines} lines`, async () => {
    const rises = [...(await counts())].map(([track, count]) => count - (before.get(track) ?? 0));
    return rises.filter((rise) => rise >= frames).length >= lines;
  });
}

/** Waits until everybody sees and hears everybody else. */
export async function allSeeAndHearAll(pages) {
  await Promise.all(
    pages.flatMap((page) =>
      pages.filter((person) => person !== page).map(async (person) => {
        await seesMotion(page, person);
        await hears(page, person);
      }),
    ),
  );
}

/** Watches the counter of `person` for a while: how often it changed and the longest time it stood still. */
export async function watches(page, person, length_ms) {
  const changes_ms = await page.evaluate(
    (wanted, length) => window.webcallTest.watch(wanted, length),
    addressed(person, {}),
    length_ms,
  );
  const stops = [0, ...changes_ms, length_ms];
  const longest_ms = Math.max(...stops.slice(1).map((stop, index) => stop - stops[index]));
  return { changes: changes_ms.length, longest_ms: Math.round(longest_ms) };
}

/** The codec of the video that this page sends, by its own statistics. A supplement: what is asserted first is what others see. */
export async function sendsCodec(page) {
  return page.waitFor('a codec to be in use', async () => {
    for (const connection of window.webcallTest.connections.toReversed()) {
      const rows = [...(await connection.getStats()).values()];
      const outbound = rows.find((row) => row.type === 'outbound-rtp' && row.kind === 'video' && row.packetsSent > 0);
      const codec = rows.find((row) => row.id === outbound?.codecId);
      if (codec !== undefined) return codec.mimeType.replace('video/', '');
    }
    return null;
  });
}

/** No page threw or broke its content policy, and no server panicked or told secrets. */
export async function noComplaints(pages, serverComplaints) {
  const all = (await Promise.all(pages.map((page) => page.complaints()))).flat();
  assert.deepEqual([...all, ...serverComplaints], []);
}

const addressed = (person, who) => ({
  username: person.username,
  ...(who.participant && { participant: who.participant }),
  ...(who.kind && { kind: who.kind }),
});

function rgb(hex) {
  return [1, 3, 5].map((index) => Number.parseInt(hex.slice(index, index + 2), 16));
}

/** The statistics of the local candidate that a page's media goes through. */
export function localCandidate(page) {
  return page.evaluate(async () => {
    const stats = await window.webcallTest.connections.at(-1).getStats();
    const rows = [...stats.values()];
    const chosen = rows.find((row) => row.type === 'transport')?.selectedCandidatePairId;
    const pair = chosen ? stats.get(chosen) : rows.find((row) => row.type === 'candidate-pair' && row.selected);
    return { ...stats.get(pair.localCandidateId) };
  });
}
