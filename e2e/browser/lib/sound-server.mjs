// A sound card that nobody hears: PulseAudio with a null sink. Firefox runs its audio graph by a device's clock and leaves it
// suspended where there is none; Chromium brings a clock of its own.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { removeFolder, start, stop, temporaryFolder } from './children.mjs';

const EXECUTABLE = process.env.WEBCALL_PULSEAUDIO ?? '/usr/bin/pulseaudio';
const START_BOUND_MS = 20_000;

/** Starts the sound server; `environment` is what a program needs to find it. */
export async function startSoundServer() {
  const folder = temporaryFolder('sound');
  const socket = join(folder, 'native');
  const modules = ['module-null-sink sink_name=silent rate=48000', `module-native-protocol-unix socket=${socket} auth-anonymous=1`];
  const child = start(
    EXECUTABLE,
    ['-n', '--daemonize=no', '--exit-idle-time=-1', '--use-pid-file=no', '--disable-shm=yes', ...modules.flatMap((each) => ['-L', each])],
    { env: { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_RUNTIME_PATH: folder } },
  );
  let said = '';
  child.stderr.on('data', (chunk) => (said = (said + chunk).slice(-2000)));
  child.stdout.resume();
  for (const end_ms = Date.now() + START_BOUND_MS; !existsSync(socket); await pause(50)) {
    if (child.exitCode !== null || Date.now() > end_ms) throw new Error(`PulseAudio did not start:\n${said}`);
  }
  return {
    environment: { PULSE_SERVER: `unix:${socket}` },
    close: async () => {
      await stop(child);
      removeFolder(folder);
    },
  };
}
