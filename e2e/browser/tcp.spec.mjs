// A network that lets no UDP through at all: media goes over the one TCP port.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { allSeeAndHearAll, localCandidate } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';

const run = promisify(execFile);
const nft = (...words) => run('nft', words, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });

/** Drops every UDP packet of the test's own network while `body` runs. */
async function withoutUdp(body) {
  assert.notEqual(ADDRESS, null, 'needs a network of its own: e2e/lib/in-own-network');
  await nft('add table inet cut; add chain inet cut sent { type filter hook output priority 0; }; add rule inet cut sent meta l4proto udp drop');
  try {
    await body();
  } finally {
    await nft('delete table inet cut');
  }
}

for (const engines of [['chromium', 'chromium'], ['firefox', 'chromium', 'firefox']]) {
  test(`where no UDP passes, callers see and hear one another over TCP (${engines.join(', ')})`, () =>
    during(party({ media: { participants_per_worker: 1 }, turn: { enabled: false } }), (table) =>
      withoutUdp(async () => {
        const people = [];
        for (const engine of engines) people.push(await table.person(engine));
        await table.join(people, await table.room(people), { codec: 'VP8' });
        await allSeeAndHearAll(people);
        for (const page of people) {
          const { protocol } = await localCandidate(page);
          assert.deepEqual([page.label, protocol], [page.label, 'tcp']);
        }
        const metrics = await table.server.metrics();
        const connections = Number(/^webcall_ice_tcp_connections (\d+)$/m.exec(metrics)[1]);
        assert.ok(connections >= people.length, `${connections} connections`);
      })));
}
