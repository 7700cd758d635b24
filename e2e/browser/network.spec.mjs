// The network's bad days, through the UDP proxy: loss each way, and a NAT that forgets.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll, hears, seesMotion, watches } from './lib/eyes.mjs';
import { during, partyBehindProxy } from './lib/party.mjs';

const LOSS = 0.05;
const WATCH_MS = Number(process.env.WEBCALL_LOSS_MS ?? 20_000);
const REBINDS = Number(process.env.WEBCALL_REBINDS ?? 1);
/** A picture at 15 frames a second that stands still for so long would not be called running by anyone. */
const STANDSTILL_MS = 5_000;
/** So many packets may be asked for twice because the proxy was kept off its processor. */
const LATE = 20;

async function two(table, engines, codec) {
  const people = [];
  for (const engine of engines) people.push(await table.person(engine));
  await table.join(people, await table.room(people), { codec });
  await allSeeAndHearAll(people);
  return people;
}

// Payload types of video and of its retransmissions, as negotiated: they stand in the clear in every packet.
function payloadTypes(page) {
  return page.evaluate(() => {
    const { sdp } = window.webcallTest.connections.at(-1).localDescription;
    const of = (pattern) => [...new Set([...sdp.matchAll(pattern)].map((found) => Number(found[1])))];
    return { video: of(/a=rtpmap:(\d+) (?:VP8|VP9|H264|AV1)\/90000/g), rtx: of(/a=rtpmap:(\d+) rtx\/90000/g) };
  });
}

function retransmissionsSent(page) {
  return page.evaluate(async () => {
    const rows = [...(await window.webcallTest.connections.at(-1).getStats()).values()];
    return rows.filter((row) => row.type === 'outbound-rtp').reduce((sum, row) => sum + (row.retransmittedPacketsSent ?? 0), 0);
  });
}

for (const codec of ['VP8', 'AV1']) {
  test(`with 5 % loss each way the picture runs on and retransmissions stay under twice the losses (${codec})`, () =>
    during(partyBehindProxy({ seed: 42 }), async (table) => {
      const people = await two(table, ['chromium', 'chromium'], codec);
      const before = (await Promise.all(people.map(retransmissionsSent))).reduce((sum, each) => sum + each);
      table.proxy.lose(LOSS);
      const seen = await Promise.all([watches(people[0], people[1], WATCH_MS), watches(people[1], people[0], WATCH_MS)]);
      table.proxy.lose(0);
      for (const page of people) await hears(page, people.find((person) => person !== page));
      const types = await payloadTypes(people[0]);
      const rtx = table.proxy.down.sum(types.rtx);
      const lost_down = table.proxy.down.sum(types.video).dropped + rtx.dropped;
      const lost_up = table.proxy.up.sum([...types.video, ...types.rtx]).dropped;
      const sent_up = (await Promise.all(people.map(retransmissionsSent))).reduce((sum, each) => sum + each) - before;
      console.log(`${codec}: seen ${JSON.stringify(seen)}; lost up ${lost_up}, sent again ${sent_up}; lost down ${lost_down}, sent again ${rtx.packets}`);
      console.log(JSON.stringify(table.proxy.figures()));
      for (const { changes, longest_ms } of seen) {
        assert.ok(longest_ms < STANDSTILL_MS, `stood still for ${longest_ms} ms`);
        assert.ok(changes > WATCH_MS / 400, `${changes} pictures in ${WATCH_MS} ms`);
      }
      assert.ok(lost_up > 0 && lost_down > 0, 'the proxy lost nothing');
      assert.ok(rtx.packets < 2 * lost_down + LATE, `${rtx.packets} retransmissions by the server for ${lost_down} losses`);
      assert.ok(sent_up < 2 * lost_up + LATE, `${sent_up} retransmissions by the pages for ${lost_up} losses`);
    }));
}

test('with 5 % loss each way a call between Chromium and Firefox runs on', () =>
  during(partyBehindProxy({ seed: 7 }), async (table) => {
    const people = await two(table, ['chromium', 'firefox'], 'VP8');
    table.proxy.lose(LOSS);
    const seen = await Promise.all([watches(people[0], people[1], WATCH_MS), watches(people[1], people[0], WATCH_MS)]);
    console.log(JSON.stringify({ seen, ...table.proxy.figures() }));
    for (const { longest_ms } of seen) assert.ok(longest_ms < STANDSTILL_MS, `stood still for ${longest_ms} ms`);
    await allSeeAndHearAll(people);
  }));

for (const engines of [['chromium', 'chromium'], ['firefox', 'chromium']]) {
  test(`after the proxy changed its ports the call goes on without a reload (${engines.join(' and ')})`, () =>
    during(partyBehindProxy(), async (table) => {
      const people = await two(table, engines, 'VP8');
      for (const page of people) await page.evaluate(() => void (window.webcallTest.not_reloaded = window.webcallTest.connections.length));
      const times_ms = [];
      for (let round = 0; round < REBINDS; round += 1) {
        const started_ms = Date.now();
        assert.ok(table.proxy.rebind() >= people.length);
        await Promise.all(people.map((page) => seesMotion(page, people.find((person) => person !== page))));
        times_ms.push(Date.now() - started_ms);
        await allSeeAndHearAll(people);
      }
      console.log(`${engines.join(' and ')}: the picture ran on after ${times_ms.join(', ')} ms`);
      for (const page of people) {
        const kept = await page.evaluate(() => window.webcallTest.not_reloaded === window.webcallTest.connections.length);
        assert.ok(kept, `${page.label} was reloaded or built a new connection`);
      }
    }));
}
