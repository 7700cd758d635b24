import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../net/api.js';
import { OwnDevice } from '../state/keys/own-device.js';

/** A device that is there already, with `oneTime` key packages at the server, and what is left there. */
async function device(oneTime, leave) {
  const [left, stock] = [[], { oneTime, lastResort: true }];
  let made = 0;
  const answers = {
    who: () => ({ records: [] }),
    forget_expired: () => ({}),
    key_packages: ({ count }) => ({ packages: Array.from({ length: count }, () => `package ${made++}`), last_resort: null }),
  };
  const keys = { begin: async () => 'id', ask: async (request) => answers[request.op](request) };
  const delivery = {
    chain: async () => [],
    stock: async () => ({ ...stock }),
    leave: async (id, { packages }) => {
      left.push(packages);
      await leave?.(left.length);
      stock.oneTime += packages.length;
    },
    backup: async () => null,
  };
  const own = new OwnDevice({ keys, delivery, log: { learn: async () => null }, exclusively: (_, act) => act() }, 'user', () => 1);
  await own.open().catch(() => {});
  return { own, left, made: () => made };
}

test('key packages that may not have arrived are left again as they are: new ones each time would push out those that wait at the server', async () => {
  const { own, left, made } = await device(20, (times) => {
    if (times <= 6) throw new ApiError('rate_limited', 429);
    if (times === 7) throw new ApiError('key_package_reused', 409);
  });
  for (let tries = 0; tries < 5; tries += 1) await assert.rejects(own.restock(), { code: 'rate_limited' });
  assert.equal(made(), 30);
  await assert.rejects(own.restock(), { code: 'key_package_reused' });
  await own.restock();
  assert.deepEqual([left.length, new Set(left.slice(0, 7).flat()).size, left[7][0]], [8, 30, 'package 30'], 'what arrived is not left once more');
});

test('a device whose clock is wrong says so, does what it can without key packages, and makes no more of them', async () => {
  const { own, made } = await device(0, () => {
    throw new ApiError('lifetime', 422);
  });
  assert.equal(own.isClockWrong, true);
  assert.equal(await own.open(), 'ready');
  assert.equal(made(), 50);
  const { own: right } = await device(0);
  assert.equal(right.isClockWrong, false, 'the control');
});
