import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { ApiError } from '../net/api.js';
import { greeting } from '../net/greeting.js';
import { figures } from '../rtc/echo.js';
import { ProbeError } from '../rtc/probe.js';
import { isPassiveTcp, isUdpHost, relaysOf, withCandidates } from '../rtc/ways.js';
import { DiagnosticsStore, STEPS } from '../state/diagnostics.js';
import { reportText } from '../state/report.js';
import { browserLabel } from '../views/user-agent.js';

const settle = async () => {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
};

const FIGURES = { loss_up_permille: 4, loss_down_permille: 25, round_trip_ms: 31, sent_kbps: 900, received_kbps: 850, frames_per_second: 30 };
const TURN_UDP = { urls: ['turn:192.0.2.1:3478?transport=udp'], username: 'u', credential: 'c' };
const TURN_TLS = { urls: ['turns:call.example:443?transport=tcp'], username: 'u', credential: 'c' };

/** A device's track that says whether it was let go. */
const device = (kind) => ({ kind, stopped: false, stop() { this.stopped = true; } });

/** The edge to network, devices and server: everything works unless a test says otherwise. */
class Edge {
  asked = [];
  workers = 2;
  iceServers = [TURN_UDP, TURN_TLS];
  closed = new Set();
  tracks = [];
  echoed = [];
  ways = [];
  calls = 0;
  nowMs = 0;
  answer = () => undefined;

  api = {
    call: async (method, path, body) => {
      this.asked.push([method, path, body]);
      const answer = this.answer(method, path, body);
      if (answer instanceof Error) throw answer;
      if (path === 'ice-servers') return { ice_servers: this.iceServers };
      if (path === 'diagnostics/calls') return { id: `call-${++this.calls}`, workers: this.workers };
      if (path.endsWith('/participants')) return { participant: '0', sdp: `answer of worker ${body.worker ?? 'any'}` };
      return undefined;
    },
  };

  probes = {
    greet: async () => {
      this.nowMs += 35;
      if (this.closed.has('websocket')) throw Object.assign(new Error(), { code: 'no_greeting' });
    },
    tryWay: async (way, enter) => {
      const kind = wayName(way);
      const answer = await enter({ sdp: 'offer', tracks: [], seats: [] });
      this.ways.push([kind, answer]);
      const port = 50_000 + (Number(/\d+/.exec(answer)?.[0]) || 0);
      if (kind === 'ice_tcp' && this.closed.has('no tcp')) throw new ProbeError('not_offered');
      if (this.closed.has(kind) || this.closed.has(port)) throw new ProbeError('no_path', port);
      return { port, tookMs: 20 };
    },
    openDevice: async (name) => {
      if (this.closed.has(name)) throw Object.assign(new Error(), { code: 'device_denied' });
      return this.track(name);
    },
    standIns: () => ({ camera: this.track('stand-in camera'), microphone: this.track('stand-in microphone') }),
    echo: async ({ enter, tracks, picture }) => {
      await enter({ sdp: 'offer', tracks: [], seats: [] });
      this.echoed.push([tracks.camera.kind, tracks.microphone.kind]);
      picture(this.track('returned'));
      if (this.closed.has('echo')) throw new ProbeError('no_media');
      return FIGURES;
    },
    now: () => this.nowMs,
  };

  track(kind) {
    this.tracks.push(device(kind));
    return this.tracks.at(-1);
  }

  store() {
    return new DiagnosticsStore(this.api, this.probes, 'Firefox 140');
  }

  sent(path) {
    return this.asked.filter(([, asked]) => asked === path).map(([, , body]) => body);
  }
}

function wayName({ keep, relays }) {
  if (relays.length === 0) return keep === isUdpHost ? 'udp' : 'ice_tcp';
  return relays[0].urls[0].startsWith('turns:') ? 'turn_tls' : 'turn_udp';
}

const outcomes = ({ steps }) => Object.fromEntries(steps.map(({ name, state }) => [name, state]));

async function finished(edge) {
  const store = edge.store();
  await store.start();
  return store;
}

beforeEach(() => mock.timers.reset());

test('on a healthy server everything is tried, judged and sent, and nothing is kept', async () => {
  const edge = new Edge();
  const store = await finished(edge);
  assert.equal(store.phase, 'done');
  assert.deepEqual(outcomes(store), { ...Object.fromEntries(STEPS.map((name) => [name, 'good'])), turn_tcp: 'not_offered' });
  assert.equal(store.verdict.code, 'good');
  assert.deepEqual(edge.ways.map(([kind]) => kind), ['udp', 'udp', 'ice_tcp', 'turn_udp', 'turn_tls']);
  assert.deepEqual(edge.ways[1], ['udp', 'answer of worker 1']);
  const [report] = edge.sent('diagnostics/reports');
  assert.deepEqual(report, store.report);
  assert.deepEqual(report.steps[0], { name: 'websocket', outcome: 'good', took_ms: 35 });
  assert.deepEqual(report.steps.at(-1), { name: 'echo', outcome: 'good', figures: FIGURES });
  assert.equal(store.sent, 'sent');
  assert.deepEqual(edge.echoed, [['camera', 'microphone']]);
  assert.ok(edge.tracks.filter(({ kind }) => kind !== 'returned').every(({ stopped }) => stopped));
  assert.equal(store.picture, null);
  assert.deepEqual(edge.asked.filter(([method]) => method === 'DELETE').map(([, path]) => path), ['diagnostics/calls/call-3']);
});

test('more ports than one test call takes are tried in several, each once', async () => {
  const edge = new Edge();
  edge.workers = 30;
  const store = await finished(edge);
  const { ports } = store.steps.find(({ name }) => name === 'udp');
  assert.deepEqual(ports.map(({ port }) => port), Array.from({ length: 30 }, (_, index) => 50_000 + index));
  assert.equal(edge.calls, 3 + 2);
});

test('a closed port is noted with its number and the others are tried all the same', async () => {
  const edge = new Edge();
  edge.closed.add(50_001);
  const store = await finished(edge);
  assert.deepEqual(store.steps[1], {
    name: 'udp',
    state: 'bad',
    ports: [{ port: 50_000, outcome: 'good', took_ms: 20 }, { port: 50_001, outcome: 'bad', reason: 'no_path' }],
  });
  assert.deepEqual([store.verdict.code, store.verdict.values], ['ports_closed', { ports: '50001' }]);
});

test('without devices the echo call is made with what stands in for them', async () => {
  const edge = new Edge();
  edge.closed.add('camera');
  const store = await finished(edge);
  assert.deepEqual(store.steps.find(({ name }) => name === 'camera'), { name: 'camera', state: 'bad', reason: 'device_denied' });
  assert.deepEqual(edge.echoed, [['stand-in camera', 'microphone']]);
  assert.equal(store.verdict.code, 'camera');
  assert.ok(edge.tracks.filter(({ kind }) => kind !== 'returned').every(({ stopped }) => stopped));
});

test('where nothing gets through no echo call is tried', async () => {
  const edge = new Edge();
  for (const way of ['udp', 'no tcp', 'turn_udp', 'turn_tls']) edge.closed.add(way);
  const store = await finished(edge);
  assert.deepEqual([outcomes(store).echo, outcomes(store).ice_tcp, edge.echoed.length], ['skipped', 'not_offered', 0]);
  assert.equal(store.verdict.code, 'media_unreachable');
});

test('what the server refuses for one way is a finding, and the test goes on', async () => {
  const edge = new Edge();
  edge.answer = (_method, path, body) => (path.endsWith('/participants') && body.worker === 1 ? new ApiError('media_busy', 503) : undefined);
  const store = await finished(edge);
  assert.deepEqual(store.steps[1].ports[1], { port: 0, outcome: 'bad', reason: 'media_busy' });
  assert.deepEqual([store.phase, store.verdict.code], ['done', 'server_busy']);
});

test('a server that is gone, or refuses the test, ends it without a verdict', async () => {
  for (const [path, error] of [
    ['ice-servers', new ApiError('network', 0)],
    ['diagnostics/calls', new ApiError('rate_limited', 429, 10)],
    ['diagnostics/calls', new ApiError('too_many_test_calls', 503)],
    ['diagnostics/calls/call-1/participants', new ApiError('test_call_not_found', 404)],
  ]) {
    const edge = new Edge();
    edge.answer = (_method, asked) => (asked === path ? error : undefined);
    const store = await finished(edge);
    assert.deepEqual([store.phase, store.verdict, store.report, store.error], ['failed', null, null, error], path);
    assert.equal(edge.sent('diagnostics/reports').length, 0);
  }
});

test('a report that cannot be sent changes no verdict', async () => {
  const edge = new Edge();
  edge.answer = (_method, path) => (path === 'diagnostics/reports' ? new ApiError('rate_limited', 429, 60) : undefined);
  const store = await finished(edge);
  assert.deepEqual([store.phase, store.verdict.code, store.sent], ['done', 'good', 'failed']);
});

test('stopping lets go at once, reports nothing, and the next test starts afresh', async () => {
  const edge = new Edge();
  const store = edge.store();
  let stoppedBy;
  edge.probes.echo = ({ signal, picture }) => {
    picture(edge.track('returned'));
    return new Promise((_resolve, reject) => {
      stoppedBy = () => reject(new ProbeError('no_media'));
      signal.addEventListener('abort', stoppedBy);
    });
  };
  const running = store.start();
  await settle();
  assert.equal(outcomes(store).echo, 'running');
  assert.ok(store.picture);
  store.stop();
  assert.deepEqual([store.phase, outcomes(store).echo, store.picture, store.report], ['stopped', 'waiting', null, null]);
  assert.ok(edge.tracks.filter(({ kind }) => kind !== 'returned').every(({ stopped }) => stopped));
  await running;
  assert.equal(store.phase, 'stopped');
  assert.equal(edge.sent('diagnostics/reports').length, 0);
  edge.probes.echo = async () => FIGURES;
  await store.start();
  assert.deepEqual([store.phase, store.verdict.code], ['done', 'good']);
});

test('a device that is allowed only after the test was stopped is let go', async () => {
  const edge = new Edge();
  const store = edge.store();
  let allow;
  edge.probes.openDevice = () => new Promise((resolve) => (allow = resolve));
  const running = store.start();
  await settle();
  store.stop();
  const late = device('camera');
  allow(late);
  await running;
  assert.ok(late.stopped);
});

test('starting twice tests once', async () => {
  const edge = new Edge();
  const store = edge.store();
  await Promise.all([store.start(), store.start()]);
  assert.equal(edge.sent('diagnostics/reports').length, 1);
});

const ANSWER = [
  'v=0',
  'a=candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host',
  'a=candidate:2 1 UDP 2130706175 2001:db8::1 50000 typ host',
  'a=candidate:3 1 tcp 1518280447 192.0.2.1 443 typ host tcptype passive',
  'a=candidate:4 1 udp 1 192.0.2.1 61000 typ relay raddr 0.0.0.0 rport 0',
  'a=candidate:nonsense',
  'a=end-of-candidates',
  '',
].join('\r\n');

test('an answer keeps the candidates of one way and nothing else of the others', () => {
  const direct = withCandidates(ANSWER, isUdpHost);
  assert.deepEqual(direct.kept.map(({ protocol, port }) => [protocol, port]), [['udp', 50_000], ['udp', 50_000]]);
  assert.deepEqual(direct.sdp.split('\r\n').length, 5);
  const overTcp = withCandidates(ANSWER, isPassiveTcp);
  assert.deepEqual(overTcp.kept, [{ protocol: 'tcp', type: 'host', tcpType: 'passive', port: 443 }]);
  assert.ok(overTcp.sdp.includes('tcptype passive') && !overTcp.sdp.includes('50000'));
});

test('relays are told apart by scheme and transport', () => {
  const urls = ['turn:a:3478', 'turn:b:3478?transport=udp', 'turn:c:3478?transport=tcp', 'turns:d:443', 'turns:e:443?transport=tcp', 'turns:f:443?transport=udp', 'stun:g:3478'];
  const of = (kind) => relaysOf([{ urls, username: 'u' }, { urls: 'stun:h' }], kind);
  assert.deepEqual(of('turn_udp'), [{ urls: ['turn:a:3478', 'turn:b:3478?transport=udp'], username: 'u' }]);
  assert.deepEqual(of('turn_tcp').flatMap((server) => server.urls), ['turn:c:3478?transport=tcp']);
  assert.deepEqual(of('turn_tls').flatMap((server) => server.urls), ['turns:d:443', 'turns:e:443?transport=tcp']);
  assert.deepEqual(relaysOf([{ urls: 'stun:h' }], 'turn_udp'), []);
});

const report = (...entries) => new Map(entries.map((entry) => [entry.id, entry]));

test('the figures are of the time between the reports, in both directions', () => {
  const sent = {
    before: report({ id: 'o', type: 'outbound-rtp', packetsSent: 100, bytesSent: 10_000 }, { id: 'r', type: 'remote-inbound-rtp', packetsLost: 7 }),
    after: report(
      { id: 'o', type: 'outbound-rtp', packetsSent: 1_100, bytesSent: 635_000 },
      { id: 'late', type: 'outbound-rtp', packetsSent: 0, bytesSent: 0 },
      { id: 'r', type: 'remote-inbound-rtp', packetsLost: 27, roundTripTime: 0.5 },
      { id: 'p', type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.031 },
    ),
  };
  const received = {
    before: report({ id: 'i', type: 'inbound-rtp', packetsReceived: 50, packetsLost: 0, bytesReceived: 0, framesDecoded: 10 }),
    after: report({ id: 'i', type: 'inbound-rtp', packetsReceived: 1_040, packetsLost: 10, bytesReceived: 625_000, framesDecoded: 160 }),
  };
  assert.deepEqual(figures(sent, received, 5_000), { loss_up_permille: 20, loss_down_permille: 10, round_trip_ms: 31, sent_kbps: 1_000, received_kbps: 1_000, frames_per_second: 30 });
});

test('without checks the server says how long packets take, and without either nobody does', () => {
  const none = report();
  const only = (entry) => figures({ before: none, after: report(entry) }, { before: none, after: none }, 5_000);
  assert.equal(only({ id: 'r', type: 'remote-inbound-rtp', roundTripTime: 0.25 }).round_trip_ms, 250);
  assert.ok(!('round_trip_ms' in only({ id: 'p', type: 'candidate-pair', nominated: true, currentRoundTripTime: 0 })));
  assert.deepEqual([only({ id: 'x', type: 'codec' }).loss_up_permille, only({ id: 'x', type: 'codec' }).loss_down_permille], [0, 0]);
});

class FakeWebSocket {
  sent = [];
  closedWith = null;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closedWith = code ?? 'closed';
  }
}

function greeted({ ticket = async () => 'secret' } = {}) {
  mock.timers.enable({ apis: ['setTimeout'] });
  const sockets = [];
  const stopping = new AbortController();
  const wiring = { ticket, open: () => (sockets.push(new FakeWebSocket()), sockets.at(-1)), random: () => 0 };
  return { sockets, stopping, done: greeting(wiring, stopping.signal) };
}

test('a WebSocket that greets is closed again and counts', async () => {
  const { sockets, done } = greeted();
  await settle();
  sockets[0].onopen();
  sockets[0].onmessage({ data: JSON.stringify({ type: 'welcome', seq: 1, id: sockets[0].sent[0].id, connection: 'c', resumed: false, resume_window_s: 60, ping_interval_s: 15, ice_servers: [] }) });
  await done;
  assert.equal(sockets[0].closedWith, 1000);
});

test('a WebSocket that never greets is given up', async () => {
  const { sockets, done } = greeted();
  const refused = assert.rejects(done, { code: 'no_greeting' });
  await settle();
  for (let passed = 0; passed < 20; passed += 1) {
    mock.timers.tick(1_000);
    await settle();
  }
  await refused;
  assert.ok(sockets.length > 1 && sockets.every(({ closedWith }) => closedWith !== null));
});

test('a ticket that cannot be had is told as what it is, and stopping ends the waiting', async () => {
  const gone = new ApiError('network', 0);
  await assert.rejects(greeted({ ticket: () => Promise.reject(gone) }).done, gone);
  mock.timers.reset();
  const { sockets, stopping, done } = greeted();
  const stopped = assert.rejects(done, { name: 'AbortError' });
  await settle();
  stopping.abort();
  await stopped;
  assert.ok(sockets.every(({ closedWith }) => closedWith !== null));
});

test('the copied report reads like what the operator sees', async () => {
  const edge = new Edge();
  edge.closed.add(50_001);
  edge.closed.add('camera');
  const { report: found } = await finished(edge);
  assert.equal(
    reportText(found, Date.UTC(2026, 10, 26, 21, 50)),
    `WebCall connection test, 2026-11-26 21:50 UTC
ports_closed  Firefox 140
  websocket   good         35 ms
  udp         bad          port 50000 good 20 ms, port 50001 bad no_path
  ice_tcp     good         20 ms
  turn_udp    good         20 ms
  turn_tcp    not_offered
  turn_tls    good         20 ms
  camera      bad          device_denied
  microphone  good
  echo        good         lost 0.4 % up and 2.5 % down, round trip 31 ms, 900 kbit/s up and 850 kbit/s down, 30 frames/s
`,
  );
});

test('a browser is named with its version in the letters that a report may have', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
  const safari = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15';
  assert.equal(browserLabel(chrome), 'Chrome 156 (Linux)');
  assert.equal(browserLabel(`${chrome} Edg/155.0`), 'Edge 155 (Linux)');
  assert.equal(browserLabel('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0'), 'Firefox 153 (Windows)');
  assert.equal(browserLabel(safari), 'Safari 26 (macOS)');
  assert.equal(browserLabel('curl/8'), 'unknown browser');
});
