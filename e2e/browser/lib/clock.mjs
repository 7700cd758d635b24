// Another time for a process: for what depends on days that a test cannot wait for.

import { execFileSync } from 'node:child_process';

/**
 * The environment of a process whose clock is off by this, as faketime(1) makes it; the command itself would stand between us and the
 * process. Monotonic time stays right, or every wait would be too long.
 */
export function shiftedClock(offset) {
  const lines = execFileSync('faketime', ['--exclude-monotonic', '-f', offset, 'env'], { encoding: 'utf8' }).split('\n');
  const pairs = lines.map((line) => line.split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs.filter(([name]) => /^(LD_PRELOAD|DONT_FAKE_MONOTONIC|FAKETIME.*)$/.test(name)));
}
