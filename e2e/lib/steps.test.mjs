// The test command itself: it counts what runners say, fails when a part fails or runs nothing, and ends with the plain line.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

const steps = new URL('steps.sh', import.meta.url).pathname;

function run(script) {
  const { stdout, status } = spawnSync('bash', ['-uc', `set -o pipefail; source ${steps}; ${script}; finish`], { encoding: 'utf8' });
  return { status, last: stdout.trimEnd().split('\n').at(-1), stdout };
}

const says = (...lines) => `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}`;

for (const [runner, line, expected] of [
  ['cargo test', 'test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.1s', '12 passed, 0 failed'],
  ['nextest', '     Summary [   2.345s] 37 tests run: 37 passed (1 slow), 4 skipped', '37 passed, 0 failed'],
  ['node, spec', 'ℹ pass 5', '5 passed, 0 failed'],
  ['node, tap', '# pass 6', '6 passed, 0 failed'],
]) {
  test(`the tests of ${runner} are counted`, () => {
    const { status, last } = run(`tests one ${says(line)}`);
    assert.equal(last, expected);
    assert.equal(status, 0);
  });
}

test('failed tests are counted and fail the run', () => {
  const { status, last } = run(`one() { ${says('ℹ pass 3', 'ℹ fail 2', 'ℹ cancelled 1')}; return 1; }; tests one one; check two true`);
  assert.equal(last, '4 passed, 3 failed');
  assert.equal(status, 1);
});

test('a runner that ran nothing, or failed without saying how, is a failure', () => {
  assert.equal(run(`tests one ${says('ℹ pass 0')}`).last, '0 passed, 1 failed');
  assert.equal(run(`one() { ${says('ℹ pass 3')}; return 1; }; tests one one`).last, '3 passed, 1 failed');
  assert.equal(run('tests one false').status, 1);
});

test('a failed check does not end the run, and is named at its end', () => {
  const { status, last, stdout } = run('check one false; check two true');
  assert.equal(last, '1 passed, 1 failed');
  assert.match(stdout, /failed: one/);
  assert.equal(status, 1);
});
