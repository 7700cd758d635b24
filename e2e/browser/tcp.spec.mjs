// Networks that let no UDP through at all: media goes over the one TCP port, and where even that is looked into, within TLS.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll, localCandidate } from './lib/eyes.mjs';
import { ALL_UDP, ICE_TCP, TURN_TCP, withoutPackets } from './lib/firewall.mjs';
import { during, party } from './lib/party.mjs';

/** A call of these browsers while these packets are dropped; gives the pages to `check`. */
function call(engines, dropped, options, check) {
  return during(party({ media: { participants_per_worker: 1 }, ...options }), (table) =>
    withoutPackets(dropped, async () => {
      const people = [];
      for (const engine of engines) people.push(await table.person(engine));
      await table.join(people, await table.room(people), { codec: 'VP8' });
      await allSeeAndHearAll(people);
      await check(people, table.server);
    }),
  );
}

for (const [engines, tls] of [
  [['chromium', 'chromium'], false],
  [['firefox', 'chromium', 'firefox'], true],
]) {
  test(`where no UDP passes, callers see and hear one another over TCP (${engines.join(', ')}${tls ? ', on the port of the pages in TLS' : ''})`, () =>
    call(engines, [ALL_UDP], { turn: { enabled: false }, tls }, async (people, server) => {
      for (const page of people) {
        const { protocol } = await localCandidate(page);
        assert.deepEqual([page.label, protocol], [page.label, 'tcp']);
      }
      const connections = Number(/^webcall_ice_tcp_connections (\d+)$/m.exec(await server.metrics())[1]);
      assert.ok(connections >= people.length, `${connections} connections`);
    }));
}

test('where nothing but TLS passes, callers see and hear one another through a relay within it (chromium, firefox)', () =>
  call(['chromium', 'firefox'], [ALL_UDP, ICE_TCP, TURN_TCP], { tls: true }, async (people) => {
    for (const page of people) {
      const { candidateType, relayProtocol } = await localCandidate(page);
      assert.deepEqual([page.label, candidateType, relayProtocol], [page.label, 'relay', 'tls']);
    }
  }));
