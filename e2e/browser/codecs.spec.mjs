// Two people in a call see each other's colour run and hear each other's tone: with every codec, in Chromium, in Firefox, and mixed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll, sendsCodec } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

const CODECS = ['VP8', 'VP9', 'H264', 'AV1'];
/** Debian's Firefox has no H.264; what it has, it must do. The last test is about what it has not. */
const FIREFOX_CODECS = CODECS.filter((each) => each !== 'H264');

function twoInACall(engines, codec) {
  return during(party(), async (table) => {
    const people = [];
    for (const engine of engines) people.push(await table.person(engine));
    await table.join(people, await table.room(people), { codec });
    await allSeeAndHearAll(people);
    for (const page of people) assert.equal(await sendsCodec(page), codec);
  });
}

for (const codec of CODECS) {
  test(`two in Chromium see and hear each other with ${codec}`, () => twoInACall(['chromium', 'chromium'], codec));
}

for (const codec of variants(FIREFOX_CODECS)) {
  test(`two in Firefox see and hear each other with ${codec}`, () => twoInACall(['firefox', 'firefox'], codec));
}

for (const codec of variants(FIREFOX_CODECS)) {
  for (const engines of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
    test(`${engines[0]} first, ${engines[1]} after: they see and hear each other with ${codec}`, () => twoInACall(engines, codec));
  }
}

test('a Firefox without H.264 that joins an H.264 room sees and is seen', () =>
  during(party(), async (table) => {
    const [first, second] = [await table.person('chromium'), await table.person('chromium')];
    const late = await table.person('firefox');
    const room = await table.room([first, second, late]);
    await table.join([first, second], room, { codec: 'H264' });
    await allSeeAndHearAll([first, second]);
    assert.equal(await sendsCodec(first), 'H264');
    await table.join([late], room);
    await allSeeAndHearAll([first, second, late]);
    assert.notEqual(await sendsCodec(first), 'H264');
  }));
