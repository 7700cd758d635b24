// The proxy itself: what it loses, what it never loses, and what a rebinding does.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';

import { seeded, UdpProxy } from './udp-proxy.mjs';

const HOST = '127.0.0.1';
const rtp = (payloadType) => Buffer.from([0x80, payloadType, ...Array(14).fill(0)]);
const stun = Buffer.from([0, 1, ...Array(18).fill(0)]);

async function socket() {
  const made = createSocket('udp4');
  made.bind(0, HOST);
  await once(made, 'listening');
  return made;
}

async function freePort() {
  const made = await socket();
  const { port } = made.address();
  made.close();
  await once(made, 'close');
  return port;
}

async function harness(seed) {
  const [server, browser] = [await socket(), await socket()];
  const port = await freePort();
  const proxy = await UdpProxy.start({ ports: [port], targets: [server.address().port], seed });
  const send = (packet) => browser.send(packet, port, HOST);
  const close = () => [server, browser, proxy].forEach((each) => each.close());
  return { server, browser, proxy, send, close };
}

test('a packet and its answer pass, and a new upstream port appears after a rebinding', async () => {
  const { server, browser, proxy, send, close } = await harness(1);
  send(rtp(96));
  const [, before] = await once(server, 'message');
  server.send(rtp(97), before.port, HOST);
  await once(browser, 'message');
  assert.equal(proxy.rebind(), 1);
  send(rtp(96));
  const [, after] = await once(server, 'message');
  assert.notEqual(after.port, before.port);
  assert.deepEqual(proxy.up.sum([96]), { packets: 2, dropped: 0 });
  assert.deepEqual(proxy.down.sum([97]), { packets: 1, dropped: 0 });
  close();
});

test('loss takes media at the wished rate and never a handshake', async () => {
  const { server, proxy, send, close } = await harness(7);
  proxy.lose(1);
  send(rtp(96));
  send(stun);
  const [packet] = await once(server, 'message');
  assert.equal(packet[0], 0);
  assert.deepEqual(proxy.up.sum([96]), { packets: 1, dropped: 1 });
  close();
});

test('the same seed loses the same packets', () => {
  const draw = (seed) => Array.from({ length: 2000 }, seeded(seed));
  assert.deepEqual(draw(3), draw(3));
  assert.notDeepEqual(draw(3), draw(4));
  const lost = draw(3).filter((each) => each < 0.05).length;
  assert.ok(lost > 60 && lost < 140, `${lost} of 2000`);
});
