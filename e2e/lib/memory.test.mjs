import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { canary } from './canaries.mjs';
import { wordsInMemory } from './memory.mjs';

/** Keeps what it is told, as bytes that nothing else refers to, behind a few megabytes. */
const KEEPER = `
  const kept = [];
  process.on('message', ({ shift, text, encoding }) => {
    kept.push(Buffer.alloc(shift, 'x'), Buffer.from(Buffer.from(text).toString(encoding)));
    process.send('kept');
  });
`;

test('a word that a process has in its memory is found, in each form, and no other', async () => {
  const child = spawn(process.execPath, ['-e', KEEPER], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  try {
    const words = { plain: canary('plain'), hex: canary('hex'), base64: canary('base64'), nowhere: canary('nowhere') };
    for (const [name, encoding] of [['plain', 'utf8'], ['hex', 'hex'], ['base64', 'base64']]) {
      child.send({ shift: 5_000_000, text: `x${words[name]}`, encoding });
      await once(child, 'message');
    }
    const { found, bytes } = wordsInMemory(child.pid, words);
    assert.deepEqual(found, ['base64', 'hex', 'plain']);
    assert.ok(bytes > 15_000_000, `${bytes}`);
  } finally {
    child.kill('SIGKILL');
  }
});

test('of a process that is not there nothing is said', () => {
  assert.throws(() => wordsInMemory(2 ** 30, {}), { code: 'ENOENT' });
});
