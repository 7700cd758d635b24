// Through the server's own TURN relay, and through nothing else: what somebody has whose network lets no packet to the media ports.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { allSeeAndHearAll, localCandidate } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';
import { variants } from './lib/variants.mjs';

const run = promisify(execFile);

const WAYS = [
  ...variants([
    ['udp', ['chromium', 'firefox', 'firefox']],
    ['udp', ['chromium', 'chromium']],
    ['udp', ['firefox', 'chromium']],
  ]),
  ['tcp', ['chromium', 'chromium', 'firefox']],
  ['tls', ['chromium', 'firefox', 'chromium']],
];
for (const [way, engines] of WAYS) {
  test(`by relays over ${way} alone, callers see and hear one another (${engines.join(', ')})`, () =>
    during(party({ media: { participants_per_worker: 1 }, tls: way === 'tls' }), async (table) => {
      const people = [];
      for (const engine of engines) people.push(await table.person(engine, { media: { relay_only: way } }));
      await table.join(people, await table.room(people), { codec: 'VP8' });
      await allSeeAndHearAll(people);
      for (const page of people) {
        const { candidateType, relayProtocol } = await localCandidate(page);
        assert.deepEqual([page.label, candidateType, relayProtocol], [page.label, 'relay', way]);
      }
      const metrics = await table.server.metrics();
      assert.match(metrics, /turn_packets_total\{[^}]*path="shortcut"[^}]*\} [1-9]/);
    }));
}

// coturn's own test client relays between pairs of its clients. Each way: what it is reached by, whether by channels or indications.
const USER = { name: 'phone', password: 'correct horse' };
const OWN = ADDRESS ?? '127.0.0.1';
const WITH_USER = { users: [USER], bandwidth_per_user_bps: 0, bandwidth_per_ip_bps: 0, peers_allow: [OWN, 'fd77::1'] };

async function uclient(server, { options = [], address = OWN, messages = 50 }) {
  const port = options.includes('-t') ? server.port : server.turn_port;
  const common = ['-u', USER.name, '-w', USER.password, '-p', String(port), '-y', '-c', '-n', String(messages), '-m', '4', '-l', '800'];
  const { stdout } = await run('turnutils_uclient', [...common, ...options, address], { timeout: 120_000 });
  const [sent, received] = /tot_send_msgs=(\d+), tot_recv_msgs=(\d+)\n(?!.*tot_send_msgs)/s.exec(stdout).slice(1).map(Number);
  assert.ok(sent >= 4 * messages && received === sent, `${received} of ${sent} arrived`);
  assert.match(stdout, /Total lost packets 0 /);
}

const UCLIENT_WAYS = { 'UDP': [], 'TCP': ['-t'], 'TLS': ['-t', '-S'] };
for (const [way, options] of Object.entries(UCLIENT_WAYS)) {
  test(`coturn's client loses nothing over ${way}, by channels and by indications`, () =>
    during(party({ turn: WITH_USER, tls: way === 'TLS' }), async ({ server }) => {
      await uclient(server, { options });
      await uclient(server, { options: [...options, '-s'] });
    }));
  test(`coturn's client loses nothing over ${way} by IPv6`, () =>
    during(party({ turn: WITH_USER, tls: way === 'TLS' }), async ({ server }) => {
      assert.notEqual(ADDRESS, null, 'needs a network of its own: e2e/lib/in-own-network');
      await uclient(server, { options: [...options, '-x'], address: 'fd77::1' });
    }));
}

test("a session of coturn's client survives that the settings are read again", () =>
  during(party({ turn: WITH_USER }), async ({ server }) => {
    const session = uclient(server, { messages: 400 });
    let is_over = false;
    session.finally(() => (is_over = true)).catch(() => {});
    let reloads = 0;
    for (; !is_over && reloads < 20; reloads += 1) {
      server.configure({}, { ...WITH_USER, max_allocations_per_user: 100 + reloads });
      await server.reload();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    await session;
    assert.ok(reloads >= 3, `${reloads} reloads while it ran`);
  }));
