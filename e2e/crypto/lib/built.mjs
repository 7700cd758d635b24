// Our client's cryptography as a build of the workspace left it: `web/assets` compiles `web/crypto` to WebAssembly with its glue, the very
// files that browsers are served. Nothing is built here.

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../..', import.meta.url).pathname;
const TARGET = process.env.CARGO_TARGET_DIR || join(root, 'target');
const GLUE = 'crypto.js';
const WASM = 'crypto_bg.wasm';

/** The class `Desk` of the newest build. */
export async function builtDesk() {
  return (await builtCrypto()).Desk;
}

let started = null;

/** What the newest build has (`web/e2ee/keys/crypto.d.ts`). */
export function builtCrypto() {
  started ??= start();
  return started;
}

async function start() {
  const folder = newest();
  // As a data URL it is a module, whatever the folder's package.json or this version of node makes of `.js`.
  const glue = await import(`data:text/javascript;base64,${readFileSync(join(folder, GLUE)).toString('base64')}`);
  if (glue.Desk === undefined) throw new Error(`${join(folder, GLUE)} has no Desk: it is of an older build; run \`cargo build\` first`);
  await glue.default({ module_or_path: readFileSync(join(folder, WASM)) });
  return glue;
}

function newest() {
  const builds = foldersIn(TARGET).flatMap((profile) => {
    const build = join(TARGET, profile, 'build');
    return foldersIn(build).filter((name) => name.startsWith('webcall-assets-')).map((name) => join(build, name, 'out'));
  });
  const [first] = builds.map((folder) => ({ folder, at_ms: writtenAt(folder) })).filter(({ at_ms }) => at_ms > 0).sort((a, b) => b.at_ms - a.at_ms);
  if (first === undefined) throw new Error(`no ${WASM} under ${TARGET}: run \`cargo build\` first, or name the build by CARGO_TARGET_DIR`);
  return first.folder;
}

/** When both files were there; 0 if they are not. */
function writtenAt(folder) {
  const [glue, wasm] = [GLUE, WASM].map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0);
  return Math.min(glue, wasm) === 0 ? 0 : Math.max(glue, wasm);
}

/** The folders in a folder; none of one that is not there. */
function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
