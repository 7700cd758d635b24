import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { CATALOGUES, t } from '../i18n/index.js';
import { STEPS } from '../state/diagnostics.js';
import { LOSSY_PERMILLE, SLOW_MS, VERDICTS, judge } from '../state/verdict.js';

const { en } = CATALOGUES;
const port = (number, outcome, reason) => ({ port: number, outcome, ...(reason && { reason }) });
const FIGURES = { loss_up_permille: 2, loss_down_permille: 0, round_trip_ms: 20, sent_kbps: 900, received_kbps: 880, frames_per_second: 30 };

/** A server that offers everything and where everything works. */
const ALL_GOOD = {
  websocket: { outcome: 'good' },
  udp: { outcome: 'good', ports: [port(50_000, 'good'), port(50_001, 'good')] },
  ice_tcp: { outcome: 'good' },
  turn_udp: { outcome: 'good' },
  turn_tcp: { outcome: 'good' },
  turn_tls: { outcome: 'good' },
  camera: { outcome: 'good' },
  microphone: { outcome: 'good' },
  echo: { outcome: 'good', figures: FIGURES },
};
const judged = (changes) => judge(Object.entries({ ...ALL_GOOD, ...changes }).map(([name, step]) => ({ name, ...step })));

const good = { outcome: 'good' };
const bad = { outcome: 'bad', reason: 'no_path' };
const none = { outcome: 'not_offered' };
const udp = (...outcomes) => ({ outcome: outcomes.every((outcome) => outcome === 'good') ? 'good' : 'bad', ports: outcomes.map((outcome, index) => port(50_000 + index, outcome)) });
const noTcp = { ice_tcp: none, turn_tcp: none, turn_tls: none };
const figures = (changes) => ({ outcome: 'good', figures: { ...FIGURES, ...changes } });

/** What happened, the verdict, who can mend it. */
const TABLE = [
  ['everything works', {}, 'good', 'nobody'],
  ['everything works and TCP and TURN are not offered', { ...noTcp, turn_udp: none }, 'good', 'nobody'],
  ['a proxy passes no WebSockets, whatever else works', { websocket: { outcome: 'bad', reason: 'no_greeting' } }, 'websocket_blocked', 'both'],
  ['UDP is blocked and ICE-TCP works', { udp: udp('bad', 'bad'), turn_udp: bad, turn_tcp: none, turn_tls: none }, 'udp_blocked', 'network'],
  ['UDP is blocked and only TURN over TLS works', { udp: udp('bad', 'bad'), turn_udp: bad, ice_tcp: bad, turn_tcp: bad }, 'udp_blocked', 'network'],
  ['UDP is blocked, no relay over UDP is offered and TCP works', { udp: udp('bad'), turn_udp: none, ice_tcp: none, turn_tls: none }, 'udp_blocked', 'network'],
  ['UDP to the media ports alone is blocked', { udp: udp('bad', 'bad'), ice_tcp: bad, turn_tcp: bad, turn_tls: bad }, 'media_ports_blocked', 'both'],
  ['UDP to the media ports alone is blocked and TCP works too', { udp: udp('bad', 'bad') }, 'media_ports_blocked', 'both'],
  ['one media port is closed', { udp: udp('good', 'bad') }, 'ports_closed', 'operator'],
  ['nothing reaches media, over UDP or TCP', { udp: udp('bad', 'bad'), ice_tcp: bad, turn_udp: bad, turn_tcp: bad, turn_tls: bad, echo: { outcome: 'skipped' } }, 'media_unreachable', 'operator'],
  ['nothing gets through over UDP and nothing else is offered', { ...noTcp, udp: udp('bad', 'bad'), turn_udp: bad, echo: { outcome: 'skipped' } }, 'udp_unreachable', 'both'],
  ['the connection stands and nothing comes back', { echo: { outcome: 'bad', reason: 'no_media' } }, 'echo_failed', 'operator'],
  ['the server takes nobody', { udp: { outcome: 'bad', ports: [port(0, 'bad', 'media_busy'), port(0, 'bad', 'media_busy')] } }, 'server_busy', 'operator'],
  ['the server has no place for the echo call', { echo: { outcome: 'bad', reason: 'media_busy' } }, 'server_busy', 'operator'],
  ['no device can be used', { camera: { outcome: 'bad', reason: 'device_denied' }, microphone: { outcome: 'bad', reason: 'device_denied' } }, 'devices', 'you'],
  ['the camera is in use', { camera: { outcome: 'bad', reason: 'device_busy' } }, 'camera', 'you'],
  ['there is no microphone', { microphone: { outcome: 'bad', reason: 'device_missing' } }, 'microphone', 'you'],
  ['a blocked network comes before a missing camera', { udp: udp('bad', 'bad'), turn_udp: bad, camera: { outcome: 'bad', reason: 'device_missing' } }, 'udp_blocked', 'network'],
  ['a missing camera comes before losses', { camera: { outcome: 'bad', reason: 'device_missing' }, echo: figures({ loss_down_permille: 200 }) }, 'camera', 'you'],
  ['packets are lost on the way there', { echo: figures({ loss_up_permille: LOSSY_PERMILLE }) }, 'lossy', 'you'],
  ['packets are lost on the way back', { echo: figures({ loss_down_permille: LOSSY_PERMILLE }) }, 'lossy', 'you'],
  ['few packets are lost', { echo: figures({ loss_up_permille: LOSSY_PERMILLE - 1, loss_down_permille: LOSSY_PERMILLE - 1 }) }, 'good', 'nobody'],
  ['packets take long', { echo: figures({ round_trip_ms: SLOW_MS }) }, 'slow', 'you'],
  ['packets take a while', { echo: figures({ round_trip_ms: SLOW_MS - 1 }) }, 'good', 'nobody'],
  ['the browser does not say how long they take', { echo: figures({ round_trip_ms: undefined }) }, 'good', 'nobody'],
  ['only the relay over UDP is broken', { turn_udp: bad }, 'fallback_broken', 'operator'],
  ['only TURN over TLS is broken', { turn_tls: bad }, 'fallback_broken', 'operator'],
];

for (const [what, changes, code, who] of TABLE) {
  test(`the verdict when ${what}: ${code}`, () => {
    const verdict = judged(changes);
    assert.deepEqual({ code: verdict.code, who: verdict.who }, { code, who });
  });
}

test('every verdict comes of something', () => {
  assert.deepEqual([...new Set(TABLE.map(([, , code]) => code))].sort(), Object.keys(VERDICTS).sort());
});

test('closed ports are named and open ones are not', () => {
  assert.deepEqual(judged({ udp: udp('good', 'bad', 'bad') }).values, { ports: '50001, 50002' });
});

test('devices that fail for one reason say it, and for two reasons neither', () => {
  const denied = { outcome: 'bad', reason: 'device_denied' };
  assert.deepEqual(judged({ camera: denied, microphone: denied }).values, { reason: 'device_denied' });
  assert.deepEqual(judged({ camera: denied }).values, { reason: 'device_denied' });
  assert.deepEqual(judged({ camera: denied, microphone: { outcome: 'bad', reason: 'device_missing' } }).values, {});
});

test('every verdict has its words in both languages, with every value filled in', () => {
  for (const [what, changes] of TABLE) {
    const { code, who, values } = judged(changes);
    const keys = [`verdict.${code}`, `verdict.${code}.what`, ...(who === 'nobody' ? [] : [`verdict.${code}.do`, `diagnose.who.${who}`])];
    for (const key of keys) {
      assert.ok(key in en, key);
      assert.ok(!/\{\w+\}/.test(t(key, values)), `${what}: ${t(key, values)}`);
    }
  }
});

test('every step and every state has its words', () => {
  for (const name of STEPS) for (const key of [`diagnose.step.${name}`, `diagnose.about.${name}`]) assert.ok(key in en, key);
  for (const state of ['waiting', 'running', 'good', 'bad', 'not_offered', 'skipped']) assert.ok(`diagnose.state.${state}` in en, state);
});

test('every reason that the probes give has its words', () => {
  const source = ['rtc/probe.js', 'rtc/echo.js', 'net/greeting.js', 'state/diagnostics-run.js'].map((name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')).join('\n');
  const reasons = [...source.matchAll(/(?:new (?:ProbeError|SignalError)\(|reason: |\? |: )'([a-z]+_[a-z_]+|unexpected)'/g)].map(([, reason]) => reason);
  const states = ['not_offered'];
  const codes = [...new Set(reasons)].filter((reason) => !states.includes(reason) && !STEPS.includes(reason));
  assert.ok(codes.length >= 6, String(codes));
  for (const code of codes) assert.ok(`diagnose.reason.${code}` in en, code);
});

test('the server knows the same verdicts and steps', () => {
  const { schemas } = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')).components;
  const named = (schema) => (schema.enum ?? schema.oneOf.flatMap((each) => each.enum ?? [each.const])).toSorted();
  assert.deepEqual(named(schemas.Verdict), Object.keys(VERDICTS).sort());
  assert.deepEqual(named(schemas.StepName), [...STEPS].sort());
});
