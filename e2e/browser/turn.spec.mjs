// Through the server's own TURN relay, and through nothing else: what somebody has whose network lets no packet to the media ports.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { allSeeAndHearAll, localCandidate } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';

const run = promisify(execFile);

const WAYS = [
  ['udp', ['chromium', 'chromium']],
  ['udp', ['firefox', 'chromium']],
  ['udp', ['chromium', 'firefox', 'firefox']],
  ['tcp', ['chromium', 'chromium', 'firefox']],
];
for (const [way, engines] of WAYS) {
  test(`by relays over ${way} alone, callers see and hear one another (${engines.join(', ')})`, () =>
    during(party({ media: { participants_per_worker: 1 } }), async (table) => {
      const people = [];
      for (const engine of engines) people.push(await table.person(engine, { media: { relay_only: way } }));
      await table.join(people, await table.room(people), { codec: 'VP8' });
      await allSeeAndHearAll(people);
      for (const page of people) {
        const { candidateType, relayProtocol } = await localCandidate(page);
        assert.deepEqual([page.label, candidateType, relayProtocol], [page.label, 'relay', way]);
      }
      const metrics = await (await fetch(`${table.server.url}/metrics`)).text();
      assert.match(metrics, /turn_packets_total\{[^}]*path="shortcut"[^}]*\} [1-9]/);
    }));
}

// coturn's own test client relays between pairs of its clients, by channels and by indications.
test("coturn's client loses nothing over relays, whatever it is reached by", () =>
  during(party({ turn: { users: [{ name: 'phone', password: 'correct horse' }], bandwidth_per_user_bps: 0, peers_allow: [ADDRESS ?? '127.0.0.1'] } }), async ({ server }) => {
    const address = ADDRESS ?? '127.0.0.1';
    for (const ways of [['-c'], ['-c', '-s'], ['-c', '-t'], ['-c', '-t', '-s']]) {
      const port = ways.includes('-t') ? server.port : server.turn_port;
      const options = ['-u', 'phone', '-w', 'correct horse', '-p', String(port), '-y', '-n', '50', '-m', '4', '-l', '800', ...ways, address];
      const { stdout } = await run('turnutils_uclient', options, { timeout: 60_000 });
      const [sent, received] = /tot_send_msgs=(\d+), tot_recv_msgs=(\d+)\n(?!.*tot_send_msgs)/s.exec(stdout).slice(1).map(Number);
      assert.ok(sent >= 200 && received === sent, `${received} of ${sent} arrived`);
      assert.match(stdout, /Total lost packets 0 /);
    }
  }));
