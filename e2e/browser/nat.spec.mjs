// Callers at home behind a NAT, the server on the other side of it, and nothing configured: what most people have.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CHROMIUM, launchChromium } from './lib/chromium.mjs';
import { allSeeAndHearAll, localCandidate } from './lib/eyes.mjs';
import { makeHomes, SERVER_NAME } from './lib/nat.mjs';
import { during, party } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';

test('two homes behind a NAT call one another through a server without any configuration', async () => {
  assert.notEqual(ADDRESS, null, 'needs a network of its own: e2e/lib/in-own-network');
  const homes = await makeHomes();
  try {
    await during(party({ tls: SERVER_NAME }), async (table) => {
      const people = [];
      for (const home of [0, 1]) {
        const executable = homes.command(home, CHROMIUM);
        table.useBrowser(`home${home}`, launchChromium({ ca: table.server.ca, executable }));
        people.push(await table.person(`home${home}`));
      }
      await table.join(people, await table.room(people), { codec: 'VP8' });
      await allSeeAndHearAll(people);
      for (const page of people) {
        const { protocol } = await localCandidate(page);
        assert.deepEqual([page.label, protocol], [page.label, 'udp']);
      }
    });
  } finally {
    await homes.remove();
  }
});
