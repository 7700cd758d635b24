import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Api, ApiError } from '../net/api.js';
import { SOCKET_BACKOFF, backoffMs } from '../backoff.js';
import { Ledger } from '../net/ledger.js';

test('waits grow from try to try and never pass the maximum', () => {
  const waits = Array.from({ length: 12 }, (_, attempt) => backoffMs(SOCKET_BACKOFF, attempt, 1));
  assert.equal(waits[0], SOCKET_BACKOFF.firstMs);
  for (let at = 1; at < waits.length; at += 1) assert.ok(waits[at] >= waits[at - 1]);
  assert.equal(waits.at(-1), SOCKET_BACKOFF.maxMs);
});

test('chance spreads a wait over its upper half', () => {
  assert.equal(backoffMs(SOCKET_BACKOFF, 0, 0), SOCKET_BACKOFF.firstMs / 2);
  assert.equal(backoffMs(SOCKET_BACKOFF, 0, 1), SOCKET_BACKOFF.firstMs);
});

const welcome = (fields) => ({ type: 'welcome', seq: 1, id: 1, connection: 'secret', resumed: false, resume_window_s: 60, ping_interval_s: 15, ...fields });

test('a new connection says hello without a past', () => {
  assert.deepEqual(new Ledger().hello(), { type: 'hello', version: 1 });
});

test('a broken connection says what it saw last', () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome({}));
  assert.ok(ledger.take(2));
  assert.ok(ledger.take(3));
  assert.deepEqual(ledger.hello().resume, { connection: 'secret', last_seq: 3 });
});

test('replayed frames behind a resuming welcome are delivered once each', () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome({}));
  ledger.take(2);
  assert.equal(ledger.welcomed(welcome({ seq: 6, resumed: true })), true);
  assert.deepEqual([3, 4, 5, 5, 4, 7].map((seq) => ledger.take(seq)), [true, true, true, false, false, true]);
});

test('a server that does not resume starts the numbers afresh', () => {
  const ledger = new Ledger();
  ledger.welcomed(welcome({}));
  ledger.take(40);
  assert.equal(ledger.welcomed(welcome({ connection: 'other' })), false);
  assert.ok(ledger.take(2));
  assert.deepEqual(ledger.hello().resume, { connection: 'other', last_seq: 2 });
});

test('a resume that this page never asked for is none', () => {
  assert.equal(new Ledger().welcomed(welcome({ resumed: true })), false);
});

/** @param {(path: string, init: any) => { status: number, body?: unknown, headers?: Record<string, string> }} answer */
function apiWith(answer) {
  const calls = [];
  let nowMs = 0;
  const api = new Api({
    now: () => nowMs,
    exclusively: (_name, act) => act(),
    fetch: async (path, init) => {
      calls.push(`${init.method} ${String(path).slice('/api/v1/'.length)}`);
      const { status, body, headers } = answer(String(path).slice('/api/v1/'.length), init);
      return new Response(status === 204 ? null : JSON.stringify(body ?? {}), { status, headers });
    },
  });
  return { api, calls, pass: (ms) => (nowMs += ms) };
}

const anna = { id: 'a', username: 'anna', created_at: 0 };
const boris = { id: 'b', username: 'boris', created_at: 0 };
const grant = (token, user = anna) => ({ user, access_token: token, expires_in: 600 });

test('a token that is about to end is renewed before the call', async () => {
  const { api, calls, pass } = apiWith((path) => ({ status: 200, body: path === 'auth/refresh' ? grant('second') : {} }));
  api.adopt(grant('first'));
  await api.call('GET', 'rooms');
  pass(595_000);
  await api.call('GET', 'rooms');
  assert.deepEqual(calls, ['GET rooms', 'POST auth/refresh', 'GET rooms']);
});

test('a refused token is renewed once and the call made again', async () => {
  const { api, calls } = apiWith((path, init) => {
    if (path === 'auth/refresh') return { status: 200, body: grant('second') };
    return init.headers.authorization === 'Bearer second' ? { status: 200, body: { rooms: [] } } : { status: 401, body: { code: 'not_signed_in' } };
  });
  api.adopt(grant('first'));
  assert.deepEqual(await api.call('GET', 'rooms'), { rooms: [] });
  assert.deepEqual(calls, ['GET rooms', 'POST auth/refresh', 'GET rooms']);
});

test('calls at the same moment share one renewal', async () => {
  const { api, calls } = apiWith((path) => ({ status: 200, body: path === 'auth/refresh' ? grant('first') : {} }));
  await Promise.all([api.call('GET', 'rooms'), api.call('GET', 'me'), api.call('GET', 'me/sessions')]);
  assert.equal(calls.filter((call) => call === 'POST auth/refresh').length, 1);
});

test('an ended session is told and forgotten', async () => {
  const { api } = apiWith(() => ({ status: 401, body: { code: 'session_ended' } }));
  api.adopt(grant('first'));
  let told = 0;
  api.addEventListener('signed-out', () => (told += 1));
  await assert.rejects(api.call('GET', 'rooms'), { code: 'session_ended', status: 401 });
  assert.equal(told, 1);
  assert.equal(api.user, null);
});

test('a window never turns into another account behind its back', async () => {
  const { api, pass } = apiWith(() => ({ status: 200, body: grant('other', boris) }));
  api.adopt(grant('first'));
  let other = null;
  api.addEventListener('other-account', (event) => (other = event.detail));
  pass(600_000);
  await assert.rejects(api.call('GET', 'rooms'), { code: 'other_account' });
  assert.deepEqual(other, boris);
  assert.equal(api.user, null);
});

test('a problem document becomes its code and its wait', async () => {
  const { api } = apiWith(() => ({ status: 429, body: { code: 'rate_limited' }, headers: { 'retry-after': '7' } }));
  await assert.rejects(api.callOpen('POST', 'auth/login', {}), new ApiError('rate_limited', 429, 7));
});

test('no network is an error with a code like any other', async () => {
  const api = new Api({ now: () => 0, exclusively: (_name, act) => act(), fetch: () => Promise.reject(new TypeError('failed')) });
  await assert.rejects(api.callOpen('GET', 'config'), { code: 'network', status: 0 });
});
