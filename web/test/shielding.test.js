// Which window of a browser is in a call of an encrypted room: what is held by whom, and let go of when.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { shielding } from '../state/shielding.js';

const ROOM = 'room';

/** The locks of one browser: who asks when one is taken gets nothing, and who asks at all may have to wait for the answer. */
class FakeLocks {
  held = new Set();
  answers = Promise.resolve();

  async request(name, _options, hold) {
    await this.answers;
    if (this.held.has(name)) return hold(null);
    this.held.add(name);
    await hold({ name });
    this.held.delete(name);
  }

  async query() {
    return { held: [...this.held].map((name) => ({ name })) };
  }
}

const locks = new FakeLocks();
Object.defineProperty(globalThis, 'navigator', { value: { locks }, configurable: true });
Object.assign(globalThis, {
  RTCRtpScriptTransform: class {},
  RTCRtpSender: class {
    transform = null;
  },
  Worker: class {
    postMessage() {}
    terminate() {}
  },
});
globalThis.RTCRtpSender.prototype.transform = null;

/** A window whose group of the room is up to date when the test says so. */
function windowOf() {
  let sync = async () => ({});
  const people = { newcomersIn: async () => [] };
  const account = { user: 'me', people, wrongIn: () => null, lookAtLog: async () => {}, isContradictedIn: () => false, syncedLately: () => sync(), sync: async () => ({}), rehearse: async () => {} };
  const keys = Object.assign(new EventTarget(), { status: 'ready', account });
  return { shield: shielding(keys), account, syncs: (next) => (sync = next) };
}

/** Something that is answered when the test says so. */
function held() {
  let answer = () => {};
  const answered = new Promise((resolve) => (answer = () => resolve({})));
  return { answered, answer };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const always = () => true;

test('who left while it was made ready holds the call no longer, and another window of the browser may join', async () => {
  for (const waitsFor of ['the group', 'the lock']) {
    const [one, other] = [windowOf(), windowOf()];
    const { answered, answer } = held();
    if (waitsFor === 'the group') one.syncs(() => answered);
    else locks.answers = answered;
    let isWanted = true;
    const ready = one.shield.ready(ROOM, () => isWanted);
    await settled();
    isWanted = false;
    answer();
    await ready;
    await settled();
    assert.deepEqual([...locks.held], [], waitsFor);
    await other.shield.ready(ROOM, always);
    assert.equal(locks.held.size, 1, 'the control');
    locks.held.clear();
  }
});

test('a join that nobody waits for any more takes nothing from the one after it', async () => {
  const { shield, syncs } = windowOf();
  const { answered, answer } = held();
  syncs(() => answered);
  const first = shield.ready(ROOM, () => false);
  syncs(async () => ({}));
  await shield.ready(ROOM, always);
  answer();
  await first;
  await settled();
  assert.equal(locks.held.size, 1);
  await assert.rejects(windowOf().shield.ready(ROOM, always), { code: 'in_call_elsewhere' });
});

test('whoever saw no other window in the call does not wait for the lock, and learns from the stay if there is one after all', async () => {
  locks.held.clear();
  const [one, other] = [windowOf(), windowOf()];
  for (const { shield } of [one, other]) shield.prepare(ROOM);
  await settled();
  const { answered, answer } = held();
  locks.answers = answered;
  await one.shield.ready(ROOM, always);
  assert.equal(locks.held.size, 0, 'it is still being asked for');
  const stays = [one.shield.open()];
  await other.shield.ready(ROOM, always);
  stays.push(other.shield.open());
  answer();
  await stays[0].allowed;
  assert.equal(locks.held.size, 1);
  await assert.rejects(stays[1].allowed, { code: 'in_call_elsewhere' });
  for (const stay of stays) stay.end();
  await settled();
  assert.equal(locks.held.size, 0);

  one.shield.prepare(ROOM);
  await settled();
  await one.shield.ready(ROOM, always);
  await one.shield.open().allowed;
  other.shield.prepare(ROOM);
  await settled();
  await assert.rejects(other.shield.ready(ROOM, always), { code: 'in_call_elsewhere' }, 'before anybody hears of it');
});

test('what another window may have found is looked for while the call is joined, and who is to decide first says nothing in it', async () => {
  locks.held.clear();
  const { shield, account } = windowOf();
  const { answered, answer } = held();
  let isFound = false;
  account.lookAtLog = () => answered;
  account.isContradictedIn = () => isFound;
  await shield.ready(ROOM, always);
  const stay = shield.open();
  isFound = true;
  answer();
  await assert.rejects(stay.allowed, { code: 'split_view' });
  stay.end();
  isFound = false;
  await shield.ready(ROOM, always);
  await shield.open().allowed;
});

test('who cannot join is told why, and what fails for the moment ends nothing', async () => {
  locks.held.clear();
  const { shield, account, syncs } = windowOf();
  const refused = (code) => assert.rejects(shield.ready(ROOM, always), { code });
  syncs(async () => null);
  await refused('not_let_in');
  account.wrongIn = () => 'not_strict';
  await refused('keys_not_strict');
  syncs(async () => ({ strict: true }));
  account.isContradictedIn = () => true;
  await refused('split_view');
  account.isContradictedIn = () => false;
  // Another window found it, and this one did not look since.
  let isFound = false;
  account.lookAtLog = async () => void (isFound = true);
  account.isContradictedIn = () => isFound;
  await shield.ready(ROOM, always);
  const stay = shield.open();
  await assert.rejects(stay.allowed, { code: 'split_view' });
  stay.end();
  await refused('split_view');
  account.isContradictedIn = () => false;
  account.people.newcomersIn = async () => ['ghost'];
  await refused('newcomers');
  account.people.newcomersIn = async () => {
    throw new KeysRefused('storage');
  };
  await refused('keys_starting');
  account.people.newcomersIn = async () => [];
  await shield.ready(ROOM, always);
});

test('keys that failed are waited for a little, as they are tried again, and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const isMended of [true, false]) {
    locks.held.clear();
    const { account } = windowOf();
    const keys = Object.assign(new EventTarget(), { status: 'failed', account: null });
    const ready = shielding(keys).ready(ROOM, always);
    const end = isMended ? ready : assert.rejects(ready, { code: 'keys_failed' });
    t.mock.timers.tick(2_000);
    if (isMended) {
      Object.assign(keys, { status: 'ready', account });
      keys.dispatchEvent(new Event('change'));
    } else t.mock.timers.tick(2_000);
    await end;
  }
});
