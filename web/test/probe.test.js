import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connected } from '../rtc/probe.js';

/** A connection whose states a test sets. */
class Connection extends EventTarget {
  connectionState = 'connecting';
  iceConnectionState = 'checking';
  iceGatheringState = 'gathering';

  become(states) {
    Object.assign(this, states);
    for (const type of ['connectionstatechange', 'icegatheringstatechange']) this.dispatchEvent(new Event(type));
  }
}

const FAILED = { connectionState: 'failed', iceConnectionState: 'failed' };
const CONNECTED = { connectionState: 'connected', iceConnectionState: 'connected' };
const LONG_MS = 60_000;
const signal = () => new AbortController().signal;

test('what failed before all candidates were there may still connect by one that follows', async () => {
  const pc = new Connection();
  const outcome = connected(pc, signal(), LONG_MS);
  pc.become(FAILED);
  await Promise.resolve();
  pc.become(CONNECTED);
  assert.equal(await outcome, 'connected');
});

test('it has failed once no candidates are to come', async () => {
  const after = new Connection();
  const outcome = connected(after, signal(), LONG_MS);
  after.become(FAILED);
  after.become({ iceGatheringState: 'complete' });
  assert.equal(await outcome, 'no_path');
  const before = new Connection();
  before.become({ iceGatheringState: 'complete', ...FAILED });
  assert.equal(await connected(before, signal(), LONG_MS), 'no_path');
});

test('where nothing more comes the patience ends, and where the way is open it is the handshake that failed', async () => {
  const silent = new Connection();
  silent.become(FAILED);
  assert.equal(await connected(silent, signal(), 1), 'no_path');
  const open = new Connection();
  open.become({ connectionState: 'failed', iceConnectionState: 'connected', iceGatheringState: 'complete' });
  assert.equal(await connected(open, signal(), LONG_MS), 'handshake_failed');
});

test('it is not waited for once it is stopped', async () => {
  const stopping = new AbortController();
  const outcome = connected(new Connection(), stopping.signal, LONG_MS);
  stopping.abort();
  await assert.rejects(outcome, { name: 'AbortError' });
});
