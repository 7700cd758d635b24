// Prints every place where the house's own rules are broken, and fails if there is one. Reads the files that git knows or would add.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { againstTheArrows } from './arrows.mjs';
import { brokenRules } from './rules.mjs';

const root = process.argv[2] ?? new URL('../..', import.meta.url).pathname;
const listed = execFileSync('git', ['-C', root, 'ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
const wanted = /\.(rs|m?js|ts|css|sql|html|toml|sh)$/;
const files = {};
for (const path of listed.split('\n')) {
  if (wanted.test(path) && existsSync(join(root, path))) files[path] = readFileSync(join(root, path), 'utf8');
}

const faults = [...againstTheArrows(files), ...brokenRules(files)];
for (const fault of faults) console.log(fault);
console.log(`house rules: ${Object.keys(files).length} files read, ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
