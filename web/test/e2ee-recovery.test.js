// The ways back as the page keeps them (`web/state/keys/recovery.js`), with a worker, a server and authenticators of the test. What the secrets
// themselves open is tried with the real worker in `e2e/crypto/recovery.spec.mjs`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../net/api.js';
import { Passkeys } from '../state/keys/passkey.js';
import { weaknessOf } from '../state/keys/passphrase.js';
import { Recovery } from '../state/keys/recovery.js';
import { waysOf } from '../state/keys/ways.js';
import { NewDevice } from '../state/keys/new-device.js';
import { fromBase64, toBase64 } from '../e2ee/base64.js';
import { ScriptedDelivery, ScriptedKeys } from './keys-scripted.js';

const USER = '01010101-0101-0101-0101-010101010101';
const isCode = (code) => (error) => error.code === code;
const noPasskeys = { isAvailable: async () => false };
const base64 = (text) => toBase64(new TextEncoder().encode(text));

/** The kind of an unlocker is the first word of its id. */
const looked = (id) => ({ id, kind: id.split(' ')[0], credential: id.startsWith('passkey') ? base64(id) : null, salt: id.startsWith('passkey') ? base64('salt') : null });

/** The worker's part: it takes in what the server shows and it did not take away, as the real one does; a blob is the list of its ids. */
function worker(initial = [], answers = {}) {
  const [ids, removed] = [[...initial], new Set()];
  const backup = () => ({ blob: ids.join(), backed_up: ids.length > 1, unlockers: ids.map(looked) });
  const shown = (blob) => (blob === '' ? [] : blob.split(','));
  const add = (kind) => {
    ids.push(`${kind} new${ids.length + removed.size}`);
    return { id: ids.at(-1), code: kind === 'recovery_code' ? 'CODE' : null };
  };
  const keys = new ScriptedKeys({
    backup_begin: 'already_there',
    unlockers: backup,
    take_unlockers: ({ blob }) => {
      ids.push(...shown(blob).filter((id) => !ids.includes(id) && !removed.has(id)));
      return backup();
    },
    ways: ({ blob }) => ({ unlockers: shown(blob).map(looked) }),
    remove_unlocker: ({ unlocker }) => {
      if (!ids.includes(unlocker)) return 'not_there';
      ids.splice(ids.indexOf(unlocker), 1);
      removed.add(unlocker);
      return {};
    },
    add_recovery_code: () => add('recovery_code'),
    add_passphrase: () => add('passphrase'),
    begin_passkey: { salt: base64('salt') },
    add_passkey: () => add('passkey'),
    ...answers,
  });
  return { keys, ids };
}

const recoveryOf = (keys, delivery, passkeys = noPasskeys) => new Recovery(USER, { keys, delivery, passkeys });

test('a code is with the server before it is shown, and is in force alone once it was kept', async () => {
  const { keys, ids } = worker(['recovery_code kept', 'recovery_code shown only']);
  const delivery = new ScriptedDelivery({ backup: { version: 3, blob: ids.join() }, changed: 1 });
  const recovery = recoveryOf(keys, delivery);
  const { id, code } = await recovery.make();
  assert.deepEqual([code, delivery.stored], ['CODE', { version: 4, blob: `recovery_code kept,${id}` }]);
  await recovery.kept(id);
  assert.deepEqual([ids, delivery.stored], [[id], { version: 5, blob: id }]);
});

test('a code that was shown and not kept opens nothing any more, and the one before it does', async () => {
  const { keys, ids } = worker(['recovery_code kept']);
  const delivery = new ScriptedDelivery({ backup: { version: 1, blob: ids.join() } });
  const recovery = recoveryOf(keys, delivery);
  await recovery.dropped((await recovery.make()).id);
  assert.deepEqual([ids, delivery.stored.blob], [['recovery_code kept'], 'recovery_code kept']);
});

test('a backup that others change all the time is given up, not overwritten, and what was not brought there is none', async () => {
  const { keys, ids } = worker();
  await assert.rejects(recoveryOf(keys, new ScriptedDelivery({ changed: 99 })).make(), isCode('backup_changed'));
  assert.deepEqual(ids, []);
});

test('a passphrase takes the place of the one before only once it is with the server', async () => {
  const { keys, ids } = worker(['passphrase old', 'recovery_code kept']);
  const delivery = new ScriptedDelivery({ backup: { version: 1, blob: ids.join() } });
  const recovery = recoveryOf(keys, delivery);
  const kept = delivery.keepBackup.bind(delivery);
  delivery.keepBackup = async () => {
    throw new ApiError('network', 0);
  };
  await assert.rejects(recovery.addPassphrase('ﬁve good words here'), isCode('network'));
  assert.deepEqual(ids, ['passphrase old', 'recovery_code kept']);
  delivery.keepBackup = kept;
  await recovery.addPassphrase('ﬁve good words here');
  assert.deepEqual([ids.length, ids.includes('passphrase old')], [2, false]);
  assert.deepEqual(delivery.stored.blob, ids.join());
  assert.equal(keys.asked.findLast(({ op }) => op === 'add_passphrase').passphrase, 'five good words here', 'in one form, however it was typed');
});

test('what did not reach the server is brought there by the next look, and what another device changed meanwhile stands', async () => {
  const { keys, ids } = worker(['recovery_code kept', 'passkey lost']);
  const delivery = new ScriptedDelivery({ backup: { version: 7, blob: 'recovery_code kept,passkey theirs' } });
  const recovery = recoveryOf(keys, delivery);
  const look = await recovery.look();
  assert.deepEqual(look.ways.map(({ ids: [id] }) => id), ['recovery_code kept', 'passkey lost', 'passkey theirs']);
  assert.deepEqual([delivery.stored.version, delivery.stored.blob], [8, ids.join()]);
  await recovery.look();
  assert.equal(delivery.stored.version, 8, 'nothing is written where nothing differs');
});

test('t27_with_the_passkey_taken_away_the_second_way_is_left_and_one_way_is_not_called_safe', async () => {
  const { keys } = worker(['passkey one', 'passphrase mine']);
  const delivery = new ScriptedDelivery({ backup: { version: 1, blob: 'passkey one,passphrase mine' } });
  const recovery = recoveryOf(keys, delivery);
  assert.deepEqual([(await recovery.look()).isBackedUp, await recoveryOf(keys, delivery).wanting()], [true, null]);
  await recovery.remove(['passkey one']);
  const look = await recovery.look();
  assert.deepEqual([look.standing, look.isBackedUp, look.ways.map(({ kind }) => kind)], ['made', false, ['passphrase']]);
  assert.equal(await recoveryOf(keys, delivery).wanting(), 'second');
  assert.equal(delivery.stored.blob, 'passphrase mine');
  await recovery.remove(['passkey one']);
});

test('two codes are one way, two passkeys are two', () => {
  assert.deepEqual(waysOf(['passkey a', 'recovery_code a', 'passkey b', 'recovery_code b'].map(looked)), [
    { kind: 'recovery_code', ids: ['recovery_code a', 'recovery_code b'] },
    { kind: 'passkey', ids: ['passkey a'] },
    { kind: 'passkey', ids: ['passkey b'] },
  ]);
  const { keys } = worker(['recovery_code a', 'recovery_code b']);
  return recoveryOf(keys, new ScriptedDelivery()).look().then(({ isBackedUp }) => assert.equal(isBackedUp, false));
});

test('ways that were made elsewhere are told from none, and from those that this device has', async () => {
  const standing = async (backup, answers) => (await recoveryOf(new ScriptedKeys(answers), new ScriptedDelivery({ backup })).look()).standing;
  const there = { version: 1, blob: 'b' };
  const ways = { unlockers: [looked('passkey a')] };
  assert.equal(await standing(null, { unlockers: 'no_master_key' }), 'none');
  assert.equal(await standing(there, { ways: { unlockers: [] }, unlockers: 'no_master_key' }), 'none');
  assert.equal(await standing(there, { ways, unlockers: 'no_master_key' }), 'locked');
  assert.equal(await standing(there, { ways, unlockers: ways, take_unlockers: ways }), 'made');
  await assert.rejects(standing(there, { unlockers: 'worker' }), isCode('worker'));
});

test('a new device is offered the ways that there are, and passkeys only where the browser has them', async () => {
  const backup = { version: 1, blob: 'passkey a,passkey b,passphrase c' };
  const waysWith = (isAvailable) => new NewDevice(USER, { keys: worker().keys, delivery: new ScriptedDelivery({ backup }), passkeys: { isAvailable: async () => isAvailable }, now: () => 7 }, async () => {}).ways();
  assert.deepEqual(await waysWith(true), ['passphrase', 'passkey']);
  assert.deepEqual(await waysWith(false), ['passphrase']);
});

/** An authenticator with `prf`, which answers with what it was asked at; `fails` with exceptions of these names. */
function authenticator({ enabled = true, results = true, fails = {} } = {}) {
  const asked = [];
  const credential = (id, prf) => ({ rawId: fromBase64(id).buffer, getClientExtensionResults: () => ({ prf }) });
  const act = (kind, give) => async ({ publicKey }) => {
    asked.push({ kind, ...publicKey });
    if (fails[kind]) throw Object.assign(new Error('no'), { name: fails[kind] });
    return give(publicKey);
  };
  const credentials = {
    create: act('create', () => credential(base64('cred'), { enabled })),
    get: act('get', ({ allowCredentials: [{ id }], extensions }) => credential(toBase64(id), results ? { results: { first: Object.values(extensions.prf.evalByCredential)[0].first.buffer } } : {})),
  };
  return { asked, passkeys: (host = 'example.org', kind = {}) => new Passkeys({ credentials, kind, host, isSecure: true }) };
}

test('a passkey is made, asked for what it gives at the salt that the worker made for it, and is a way then', async () => {
  const { asked, passkeys } = authenticator();
  const { keys, ids } = worker(['passkey known']);
  const delivery = new ScriptedDelivery();
  await recoveryOf(keys, delivery, passkeys()).addPasskey('ann');
  assert.deepEqual(asked.map(({ kind }) => kind), ['create', 'get']);
  assert.deepEqual([asked[0].rp.id, asked[0].user.name, asked[1].rpId], ['example.org', 'ann', 'example.org']);
  assert.deepEqual(asked[0].excludeCredentials.map(({ id }) => toBase64(id)), [base64('passkey known')]);
  assert.equal(keys.asked.find(({ op }) => op === 'begin_passkey').credential, base64('cred'));
  assert.equal(keys.asked.find(({ op }) => op === 'add_passkey').output, base64('salt'), 'this authenticator gives back the salt');
  assert.equal(delivery.stored.blob, ids.join());
});

test('whatever goes wrong with a passkey has a code, and nothing is added', async () => {
  const cases = [
    [{ enabled: false }, 'passkey_no_prf'],
    [{ results: false }, 'passkey_no_prf'],
    [{ fails: { create: 'NotAllowedError' } }, 'passkey_cancelled'],
    [{ fails: { get: 'NotAllowedError' } }, 'passkey_cancelled'],
    [{ fails: { create: 'InvalidStateError' } }, 'passkey_exists'],
    [{ fails: { create: 'SecurityError' } }, 'passkey_unsupported'],
    [{ fails: { create: 'UnknownError' } }, 'passkey_failed'],
  ];
  for (const [faults, code] of cases) {
    const { keys } = worker();
    await assert.rejects(recoveryOf(keys, new ScriptedDelivery(), authenticator(faults).passkeys()).addPasskey('ann'), isCode(code), code);
    assert.ok(!keys.ops().includes('add_passkey'));
  }
});

test('passkeys are offered only where they can be: by a name, in a secure page, and not where the browser says that it has no prf', async () => {
  const { passkeys } = authenticator();
  for (const host of ['127.0.0.1', '[::1]', '10.0.0.1']) assert.equal(await passkeys(host).isAvailable(), false, host);
  for (const host of ['localhost', 'example.org', '1.example.org']) assert.equal(await passkeys(host).isAvailable(), true, host);
  const says = (capabilities) => passkeys('localhost', { getClientCapabilities: async () => capabilities }).isAvailable();
  assert.deepEqual([await says({ 'extension:prf': true }), await says({ 'extension:prf': false }), await says({})], [true, false, true]);
  const none = { credentials: undefined, kind: undefined, host: 'localhost', isSecure: true };
  assert.equal(await new Passkeys(none).isAvailable(), false);
});

test('a passphrase that is guessed too easily is told why', () => {
  const cases = [
    ['short one', 'passphrase_short'],
    ['aaaaaaaaaaaaaaaa', 'passphrase_plain'],
    ['abcabcabcabcabc', 'passphrase_plain'],
    ['passwordpassword', 'passphrase_plain'],
    ['abcdefghijklmnop', 'passphrase_plain'],
    ['1234567890123', 'passphrase_plain'],
    ['qwertyuiopasdfgh', 'passphrase_plain'],
    ['йцукенгшщзхъфыва', 'passphrase_plain'],
    ['annabelle-annabelle1', 'passphrase_name'],
    ['correct horse battery', null],
    ['лодка уходит в семь', null],
    ['kT9-vu2x!Lq7', null],
  ];
  for (const [text, expected] of cases) assert.equal(weaknessOf(text, 'Annabelle'), expected, text);
});
