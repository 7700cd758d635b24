// Where the binaries under test are.

import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
/** `e2e/test` takes what it built for the unit tests; by hand it is the release build. */
export const BUILT = join(process.env.CARGO_TARGET_DIR || join(root, 'target'), process.env.WEBCALL_PROFILE ?? 'release');
export const EXECUTABLE = process.env.WEBCALL_BINARY ?? join(BUILT, 'webcall');
