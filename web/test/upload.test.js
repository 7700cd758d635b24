import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Api } from '../net/api.js';
import { PutOff, blobSource, upload } from '../net/upload.js';

const MIB = 1 << 20;
const user = { id: 'a', username: 'anna', created_at: 0 };
const bytesOf = (length) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) & 0xff);

/**
 * A server that keeps one file as the real one does. `faults` are what becomes of the next pieces: a number of bytes that arrive before
 * the connection is lost, or an answer.
 */
function server(faults = []) {
  const kept = { received: Buffer.alloc(0), size: -1, calls: [], deleted: 0 };
  const answer = (status, body, headers) => new Response(status === 204 ? null : JSON.stringify(body ?? {}), { status, headers });
  const state = () => ({ id: 'f', received: kept.received.length, size: kept.size });
  const patch = async (path, init) => {
    const offset = Number(new URL(path, 'http://x').searchParams.get('offset'));
    const bytes = new Uint8Array(await new Response(init.body).arrayBuffer());
    const fault = faults.shift();
    if (fault instanceof Response) return fault;
    if (typeof fault === 'function') return fault(init, kept);
    if (offset !== kept.received.length) return answer(409, { code: 'wrong_offset' });
    kept.received = Buffer.concat([kept.received, bytes.subarray(0, fault ?? bytes.length)]);
    if (fault !== undefined) throw new TypeError('the connection is lost');
    return answer(200, state());
  };
  const api = new Api({
    now: () => 0,
    exclusively: (_name, act) => act(),
    fetch: async (path, init) => {
      kept.calls.push(`${init.method} ${String(path).slice('/api/v1/'.length)}`);
      if (init.method === 'PATCH') {
        assert.equal(init.headers['content-type'], 'application/octet-stream');
        assert.equal(init.headers.authorization, 'Bearer token');
        return patch(String(path), init);
      }
      if (init.method === 'DELETE') return (kept.deleted += 1), answer(204);
      if (init.method === 'GET') return answer(200, state());
      kept.size = JSON.parse(init.body).size;
      return answer(201, state());
    },
  });
  api.adopt({ user, access_token: 'token', expires_in: 600 });
  return { api, kept };
}

const problem = (status, code, headers = {}) => new Response(JSON.stringify({ code }), { status, headers });

/** Runs an upload without waiting; gives the waits it asked for and the progress it told. */
function run(api, bytes, { signal = new AbortController().signal, source = blobSource(new Blob([bytes])), ...course } = {}) {
  const [waits, told] = [[], []];
  const wait = async (ms, over) => {
    waits.push(ms);
    over.throwIfAborted();
  };
  const done = upload(api, 'r', source, { signal, wait, random: () => 1, ...course, progress: (received, size) => told.push([received, size]) });
  return { done, waits, told };
}

test('a file is sent in pieces and its progress is told', async () => {
  const { api, kept } = server();
  const bytes = bytesOf(2 * MIB + 5);
  const { done, waits, told } = run(api, bytes);
  assert.equal(await done, 'f');
  assert.deepEqual(kept.calls, ['POST rooms/r/files', 'PATCH files/f?offset=0', `PATCH files/f?offset=${MIB}`, `PATCH files/f?offset=${2 * MIB}`]);
  assert.deepEqual(Uint8Array.from(kept.received), bytes);
  assert.deepEqual(told.map(([received]) => received), [0, MIB, 2 * MIB, 2 * MIB + 5]);
  assert.deepEqual([waits, kept.deleted], [[], 0]);
});

test('after a lost connection it goes on with what the server has', async () => {
  const { api, kept } = server([undefined, 1000, 0]);
  const bytes = bytesOf(2 * MIB);
  const { done, waits } = run(api, bytes);
  assert.equal(await done, 'f');
  assert.deepEqual(Uint8Array.from(kept.received), bytes);
  assert.deepEqual(kept.calls.slice(2), [`PATCH files/f?offset=${MIB}`, 'GET files/f/state', `PATCH files/f?offset=${MIB + 1000}`, 'GET files/f/state', `PATCH files/f?offset=${MIB + 1000}`]);
  assert.deepEqual(waits, [500, 500], 'the wait begins anew whenever something came');
});

test('refusals that pass are waited for, as long as the server says', async () => {
  const refusals = [problem(503, 'busy'), problem(503, 'timed_out'), problem(429, 'rate_limited', { 'retry-after': '7' }), problem(409, 'wrong_offset')];
  const { api, kept } = server(refusals);
  const { done, waits } = run(api, bytesOf(10));
  assert.equal(await done, 'f');
  assert.deepEqual(waits, [500, 1000, 7000, 4000]);
  assert.equal(kept.received.length, 10);
});

test('a refusal that does not pass ends the upload and takes the file back', async () => {
  for (const [status, code] of [[404, 'file_not_found'], [413, 'file_too_large']]) {
    const { api, kept } = server([problem(status, code)]);
    await assert.rejects(run(api, bytesOf(10)).done, { code });
    assert.equal(kept.deleted, 1, code);
  }
});

test('while an earlier request hangs, the server is asked every two seconds with nothing to carry', async () => {
  const { api, kept } = server([0, ...Array.from({ length: 4 }, () => problem(409, 'upload_busy'))]);
  const bytes = bytesOf(MIB + 10);
  const asked = [];
  const source = { size: bytes.length, read: async (from, to) => (asked.push(from), bytes.slice(from, to)) };
  const { done, waits } = run(api, bytes, { source });
  assert.equal(await done, 'f');
  assert.deepEqual(waits, [500, 1000, 2000, 2000, 2000]);
  assert.deepEqual(asked, [0, 0, 0, MIB], 'a piece is read once for each time it is sent');
  assert.deepEqual(Uint8Array.from(kept.received), bytes);
});

test('an upload that a full disk ends is kept by the server, and another one goes on with it', async () => {
  const { api, kept } = server([undefined, problem(503, 'disk_full')]);
  const bytes = bytesOf(MIB + 5);
  const { done, waits } = run(api, bytes);
  await assert.rejects(done, { code: 'disk_full' });
  assert.deepEqual([waits, kept.deleted, kept.received.length], [[], 0, MIB]);
  assert.equal(await run(api, bytes, { resume: 'f' }).done, 'f');
  assert.deepEqual(kept.calls.slice(3), ['GET files/f/state', `PATCH files/f?offset=${MIB}`]);
  assert.ok(kept.received.equals(Buffer.from(bytes)));
});

test('who cancels an upload while a full disk ends it takes it back', async () => {
  const cancelling = new AbortController();
  const full = () => (cancelling.abort(new Error('cancelled')), problem(503, 'disk_full'));
  const { api, kept } = server([full]);
  await assert.rejects(run(api, bytesOf(10), { signal: cancelling.signal }).done, { message: 'cancelled' });
  assert.equal(kept.deleted, 1);
});

test('who cancels gets their reason, and the file is taken back', async () => {
  const cancelling = new AbortController();
  const hang = (init) =>
    new Promise((_resolve, reject) => {
      init.signal.addEventListener('abort', () => reject(init.signal.reason));
      cancelling.abort(new Error('cancelled'));
    });
  const { api, kept } = server([undefined, hang]);
  await assert.rejects(run(api, bytesOf(2 * MIB), { signal: cancelling.signal }).done, { message: 'cancelled' });
  assert.equal(kept.deleted, 1);
  assert.equal(kept.calls.filter((call) => call.startsWith('PATCH')).length, 2);
});

test('who cancels while it waits for the network does not wait on', async () => {
  const cancelling = new AbortController();
  const { api, kept } = server([0]);
  const done = upload(api, 'r', blobSource(new Blob([bytesOf(10)])), { signal: cancelling.signal, random: () => 1, progress: () => setTimeout(() => cancelling.abort(new Error('cancelled'))) });
  await assert.rejects(done, { message: 'cancelled' });
  assert.equal(kept.deleted, 1);
});

test('an empty file is announced and nothing else', async () => {
  const { api, kept } = server();
  assert.equal(await run(api, bytesOf(0)).done, 'f');
  assert.deepEqual(kept.calls, ['POST rooms/r/files']);
});

test('a source is asked for places, so that it can make the bytes', async () => {
  const { api, kept } = server([undefined, 3]);
  const bytes = bytesOf(MIB + 10);
  const asked = [];
  const read = async (from, to) => {
    asked.push([from, to]);
    return bytes.slice(from, to);
  };
  assert.equal(await run(api, bytes, { source: { size: bytes.length, read } }).done, 'f');
  assert.deepEqual(asked, [[0, MIB], [MIB, MIB + 10], [MIB + 3, MIB + 10]]);
  assert.deepEqual(Uint8Array.from(kept.received), bytes);
});

test('a source that fails or gives too little ends the upload', async () => {
  for (const read of [() => Promise.reject(new Error('gone')), async () => bytesOf(3)]) {
    const { api, kept } = server();
    await assert.rejects(run(api, null, { source: { size: 10, read } }).done, { code: 'upload_failed' });
    assert.equal(kept.deleted, 1);
  }
});

test('a server that takes nothing is not asked in a circle', async () => {
  const nothing = () => new Response(JSON.stringify({ id: 'f', received: 0, size: 10 }), { status: 200 });
  const { api } = server([nothing, nothing]);
  const { done, waits } = run(api, bytesOf(10));
  assert.equal(await done, 'f');
  assert.deepEqual(waits, [500, 1000]);
});

test('a server that has more than there is is not believed', async () => {
  const lie = () => new Response(JSON.stringify({ id: 'f', received: 11, size: 10 }), { status: 200 });
  const { api, kept } = server([lie]);
  const { done, waits } = run(api, bytesOf(10));
  assert.equal(await done, 'f');
  assert.deepEqual([waits.length, kept.received.length], [1, 10]);
});

test('an upload that is put off is kept by the server, and another one goes on with it', async () => {
  const ending = new AbortController();
  const put = (init, kept) => {
    kept.received = Buffer.concat([kept.received, Buffer.from(bytesOf(MIB))]);
    ending.abort(new PutOff());
    throw new TypeError('ended');
  };
  const { api, kept } = server([put]);
  const bytes = bytesOf(MIB + 5);
  const announced = [];
  await assert.rejects(run(api, bytes, { signal: ending.signal, announced: (id) => announced.push(id) }).done, { name: 'PutOff' });
  assert.deepEqual([announced, kept.deleted, kept.received.length], [['f'], 0, MIB]);
  assert.equal(await run(api, bytes, { resume: 'f' }).done, 'f');
  assert.deepEqual(kept.calls.filter((each) => each.startsWith('POST')).length, 1);
  assert.ok(kept.received.equals(Buffer.from(bytes)));
});

test('who puts an upload off before its file has an id never learns of it, and the file is taken back', async () => {
  const ending = new AbortController();
  const { api, kept } = server();
  const announced = [];
  const done = run(api, bytesOf(5), { signal: ending.signal, announced: (id) => announced.push(id) }).done;
  ending.abort(new PutOff());
  await assert.rejects(done, { name: 'PutOff' });
  assert.deepEqual([announced, kept.deleted], [[], 1]);
});
