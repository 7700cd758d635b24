// Another time for a process: for what depends on days that a test cannot wait for.

import { existsSync, readdirSync } from 'node:fs';

/** Where distributions put what faketime(1) loads into a process: Debian in a folder for each architecture. */
const FOLDERS = ['/usr/lib', '/usr/lib64', '/usr/local/lib', ...readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu')).map((name) => `/usr/lib/${name}`)];

/**
 * The environment of a process whose clock is off by this, like `+1h` or `-90d`. The command itself would stand between us and the process, and fails
 * when another process of the same number once left its semaphore behind. Monotonic time stays right, or every wait would be too long.
 */
export function shiftedClock(offset) {
  const library = FOLDERS.map((folder) => `${folder}/faketime/libfaketime.so.1`).find((path) => existsSync(path));
  if (library === undefined) throw new Error('libfaketime is not installed');
  return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' };
}
