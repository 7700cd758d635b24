// The processes and folders that a spec makes, and their end: whatever happens to the spec, nothing of it stays.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const children = new Set();
const folders = new Set();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) isRemoved(folder);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    console.error(`ended by ${signal}`);
    process.exit(1);
  });
}

/** A process that ends with the spec at the latest. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Asks a process to end and waits until it has; kills it when it does not listen. */
export async function stop(child, signal = 'SIGTERM', bound_ms = 10_000) {
  const isGone = child.exitCode !== null || child.signalCode !== null;
  if (isGone || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), bound_ms);
  await gone;
  clearTimeout(timer);
}

/** An empty folder that goes with the spec. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `webcall-${name}-`));
  folders.add(folder);
  return folder;
}

/** Removes a folder made by {@link temporaryFolder}: now, or with the spec where something still writes into it. */
export function removeFolder(folder) {
  if (isRemoved(folder)) folders.delete(folder);
}

function isRemoved(folder) {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    return true;
  } catch {
    return false;
  }
}
