// The connection test as a person meets it: every step good on a healthy server, and where something is at fault, the right thing named.
//
// Faults are made where they would be: packets dropped by nftables, a refused device.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { during, party, PASSWORD } from './lib/party.mjs';
import { ADDRESS, WORKERS } from './lib/server.mjs';

/** Every step may take its whole patience, on a machine that builds something else. */
const TEST_BOUND_MS = 120_000;
/** What the server may or may not offer. */
const OPTIONAL = ['ice_tcp', 'turn_tcp', 'turn_tls'];
const COLOUR_TOLERANCE = 60;

async function opened(table, engine, options) {
  const page = await table.person(engine, options);
  await page.goto(`${table.server.url}/diagnostics`);
  await page.see('[data-page="diagnostics"]');
  return page;
}

async function verdict(page) {
  await page.click('start-test');
  return page.waitFor('a verdict', () => document.querySelector('.verdict:not([hidden])')?.dataset.verdict, [], TEST_BOUND_MS);
}

const states = (page) => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('[data-step]')].map((row) => [row.dataset.step, row.dataset.state])));
const text = (page, selector) => page.evaluate((wanted) => document.querySelector(wanted)?.innerText, selector);

// Drops what nftables' `match` describes, inside the network of this test alone.
async function dropping(match, body) {
  if (ADDRESS === null) throw new Error('packets are dropped in a network of the test alone: run it by e2e/lib/in-own-network');
  execFileSync('nft', ['-f', '-'], { input: `table inet diagnostics {\n chain in {\n type filter hook input priority 0;\n ${match} drop\n }\n}\n` });
  try {
    return await body();
  } finally {
    execFileSync('nft', ['delete', 'table', 'inet', 'diagnostics']);
  }
}

for (const engine of ['chromium', 'firefox']) {
  test(`on a healthy server every step works, and the operator has the report (${engine})`, () =>
    during(party(), async (table) => {
      const page = await opened(table, engine);
      const colour = [1, 3, 5].map((at) => Number.parseInt(page.media.colour.slice(at, at + 2), 16));
      const decided = verdict(page);
      await page.waitFor(
        'the own picture to come back',
        (wanted, tolerance) => {
          const video = document.querySelector('.echo-picture:not([hidden])');
          if (!(video?.videoWidth > 0)) return false;
          const brush = Object.assign(document.createElement('canvas'), { width: 16, height: 9 }).getContext('2d');
          brush.drawImage(video, 0, 0, 16, 9);
          const seen = brush.getImageData(8, 3, 1, 1).data;
          return wanted.every((part, index) => Math.abs(part - seen[index]) <= tolerance);
        },
        [colour, COLOUR_TOLERANCE],
        TEST_BOUND_MS,
      );
      assert.equal(await decided, 'good', await text(page, '[data-page]'));
      const found = await states(page);
      for (const [name, state] of Object.entries(found)) {
        assert.ok(state === 'good' || (OPTIONAL.includes(name) && state === 'not_offered'), `${name}: ${state}`);
      }
      assert.equal(Object.keys(found).length, 9);
      for (let worker = 0; worker < WORKERS; worker += 1) assert.match(await text(page, '[data-step="udp"]'), new RegExp(`\\b${table.server.media_port + worker}\\b`));
      await page.see('[data-sent="sent"]');
      assert.equal(await page.evaluate(() => document.activeElement.closest('.verdict') !== null), true, 'the focus is on the verdict');
      assert.equal(await page.evaluate(() => document.querySelector('.echo-picture').srcObject), null);
    }));

  test(`UDP dropped before the media ports is named, with the ports (${engine})`, () =>
    during(party(), async (table) => {
      const page = await opened(table, engine);
      const { media_port } = table.server;
      const found = await dropping(`udp dport ${media_port}-${media_port + WORKERS - 1}`, () => verdict(page));
      assert.equal(found, 'media_ports_blocked', await text(page, '[data-page]'));
      const words = await text(page, '.verdict');
      assert.match(words, /UDP/);
      for (let worker = 0; worker < WORKERS; worker += 1) assert.match(words, new RegExp(`\\b${media_port + worker}\\b`));
      assert.deepEqual(await states(page).then(({ udp, turn_udp, echo }) => ({ udp, turn_udp, echo })), { udp: 'bad', turn_udp: 'good', echo: 'good' });
    }));

  test(`without devices the test goes on and says that they are refused (${engine})`, () =>
    during(party(), async (table) => {
      const page = await opened(table, engine, { media: { denied: true } });
      assert.equal(await verdict(page), 'devices', await text(page, '[data-page]'));
      const { camera, microphone, echo } = await states(page);
      assert.deepEqual({ camera, microphone, echo }, { camera: 'bad', microphone: 'bad', echo: 'good' });
      assert.match(await text(page, '[data-step="camera"]'), /does not allow/);
    }));
}

test('where no UDP at all gets through, the verdict names UDP', () =>
  during(party(), async (table) => {
    const page = await opened(table, 'chromium');
    const { media_port, turn_port } = table.server;
    const found = await dropping(`udp dport ${media_port}-${turn_port}`, () => verdict(page));
    // With a way over TCP it says that the network blocks UDP; without one, that nothing else is offered.
    const { ice_tcp, turn_tcp, turn_tls } = await states(page);
    const hasTcp = [ice_tcp, turn_tcp, turn_tls].includes('good');
    assert.equal(found, hasTcp ? 'udp_blocked' : 'udp_unreachable', await text(page, '[data-page]'));
    assert.match(await text(page, '.verdict'), /UDP/);
  }));

test('one closed port of several is named and not the others', () =>
  during(party(), async (table) => {
    const page = await opened(table, 'chromium');
    const closed = table.server.media_port + 1;
    assert.equal(await dropping(`udp dport ${closed}`, () => verdict(page)), 'ports_closed', await text(page, '[data-page]'));
    const words = await text(page, '.verdict');
    assert.match(words, new RegExp(`\\b${closed}\\b`));
    assert.doesNotMatch(words, new RegExp(`\\b${table.server.media_port}\\b`));
  }));

test('somebody who is not signed in comes to the test by the log-in page, and starts and stops it by keyboard, 360 pixels wide', () =>
  during(party(), async (table) => {
    const page = await table.stranger('chromium', { width: 360, height: 740 });
    const isSound = async () => assert.deepEqual(await page.evaluate(() => window.webcallTest.faults()), []);
    await table.server.register(page.username, PASSWORD);
    await page.goto(`${table.server.url}/diagnostics`);
    await page.see('[data-page="login"]');
    await page.fill('username', page.username);
    await page.fill('password', PASSWORD);
    await page.click('login');
    await page.see('[data-page="diagnostics"]');
    await isSound();
    // The focus is on the button that starts the test.
    await page.key('Enter');
    await page.see('[data-step="udp"][data-state="running"], [data-step="udp"][data-state="good"]');
    await isSound();
    await page.key('Enter');
    await page.see('[data-phase="stopped"]');
    assert.equal(await page.evaluate(() => document.querySelector('[data-state="running"]')), null);
    await page.waitFor('all connections to be closed', () => window.webcallTest.connections.every((pc) => pc.connectionState === 'closed'));
    // From the settings back to it, and a second time from the beginning.
    await page.goto(`${table.server.url}/settings`);
    await page.click('diagnose');
    assert.equal(await verdict(page), 'good', await text(page, '[data-page]'));
    await isSound();
  }));
