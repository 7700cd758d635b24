// The arrows of the house: which part may import which. Imports run downwards only; parts of one row may import each other, but
// never in a circle. A module without a row is an error: give it one here, on purpose.

import { blockEnd, jsCode, lineOf, rustCode, testFiles, withoutTests } from './source.mjs';

/**
 * From the top downwards. `app` holds one of everything and is handed to every use-case, so it stands beside them and a circle through
 * it is none. `error` is what a use-case fails with: it names the store's errors, and the store knows nothing of it.
 */
export const SERVER = [
  ['main'],
  ['lib'],
  ['serve', 'bench', 'doctor', 'vault'],
  ['port'],
  ['http', 'signal', 'push'],
  ['rooms', 'chat', 'files', 'accounts', 'turn_keys', 'e2ee', 'calls', 'presence', 'diagnostics', 'app', 'limits'],
  ['error'],
  ['store', 'bus', 'metrics', 'tls', 'shutdown', 'telemetry'],
  ['id', 'time', 'config', 'role', 'process'],
];
export const MEDIA = [
  ['lib', 'fuzzing'],
  ['handle', 'load'],
  ['probe'],
  ['config'],
  ['net'],
  ['sfu', 'turn', 'demux', 'synthetic'],
  ['outbox'],
  ['handover'],
  ['transport', 'codec', 'rtp', 'rtcp', 'units', 'random'],
  ['addresses', 'api', 'counters', 'error', 'id'],
];
export const WEB = [
  ['main', 'early', 'sw'],
  ['views'],
  ['ui'],
  ['state'],
  ['net', 'rtc', 'e2ee'],
  ['protocol', 'i18n', 'backoff'],
];

/** Every import against the arrows in a tree of `{ path: text }`. */
export function againstTheArrows(files) {
  return [
    ...rustTree(files, 'src/', SERVER),
    ...rustTree(files, 'media/src/', MEDIA),
    ...webTree(files, 'web/', WEB),
  ];
}

function rustTree(files, root, rows) {
  const edges = [];
  const tests = testFiles(files);
  for (const [path, text] of Object.entries(files)) {
    if (!path.startsWith(root) || !path.endsWith('.rs') || tests.has(path)) continue;
    const modules = modulePath(path.slice(root.length));
    const from = modules[0] ?? (path.endsWith('main.rs') ? 'main' : 'lib');
    const code = withoutTests(rustCode(text));
    for (const { to, position } of crateReferences(code, modules)) {
      edges.push({ from, to: rows.flat().includes(to) || /^[a-z]/.test(to) ? to : 'lib', path, line: lineOf(text, position) });
    }
  }
  return judge(edges, rows);
}

/** `sfu/route.rs` is the module `sfu::route`; `mod.rs`, `lib.rs` and `main.rs` are what they stand in. */
function modulePath(path) {
  const parts = path.replace(/\.rs$/, '').split('/');
  return ['mod', 'lib', 'main'].includes(parts.at(-1)) ? parts.slice(0, -1) : parts;
}

// Every `crate::x` and every `super::x` that ends at the root, with the name of the top-level module.
function* crateReferences(code, modules) {
  const inline = [...code.matchAll(/\bmod\s+\w+\s*\{/g)].map((found) => {
    const open = found.index + found[0].length - 1;
    return { open, end: blockEnd(code, open) };
  });
  for (const found of code.matchAll(/(?<!\$)\bcrate\s*::\s*|(?:\bsuper\s*::\s*)+/g)) {
    const ups = found[0].startsWith('crate') ? Infinity : found[0].match(/super/g).length;
    const depth = modules.length + inline.filter(({ open, end }) => open < found.index && found.index < end).length;
    if (ups !== Infinity && ups < depth) continue;
    for (const to of names(code, found.index + found[0].length)) yield { to, position: found.index };
  }
}

// The first names behind a path: one, or those of a group.
function names(code, position) {
  const single = /^(\w+)/.exec(code.slice(position, position + 100));
  if (single !== null) return [single[1]];
  if (code[position] !== '{') return [];
  const group = code.slice(position + 1, blockEnd(code, position) - 1);
  let flat = group;
  while (/\{[^{}]*\}/.test(flat)) flat = flat.replace(/\{[^{}]*\}/g, '');
  return flat.split(',').map((each) => /^\s*(\w+)/.exec(each)?.[1]).filter((name) => name !== undefined && name !== 'self');
}

function webTree(files, root, rows) {
  const edges = [];
  const tests = testFiles(files);
  for (const [path, text] of Object.entries(files)) {
    if (!path.startsWith(root) || !/\.m?js$/.test(path) || tests.has(path) || path.includes('node_modules/')) continue;
    const code = jsCode(text, { strings: 'keep' });
    const from = webModule(path.slice(root.length));
    const pattern = /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g;
    for (const found of code.matchAll(pattern)) {
      const target = found[1] ?? found[2];
      if (!target.startsWith('.')) {
        edges.push({ from, to: `outside (${target})`, path, line: lineOf(text, found.index) });
        continue;
      }
      const { pathname } = new URL(target, `file:///${path}`);
      edges.push({ from, to: webModule(pathname.slice(1 + root.length)), path, line: lineOf(text, found.index) });
    }
  }
  return judge(edges, rows);
}

const webModule = (path) => path.split('/')[0].replace(/\.(d\.ts|m?js)$/, '');

function judge(edges, rows) {
  const row = (name) => rows.findIndex((names) => names.includes(name));
  const faults = [];
  const beside = new Map();
  for (const { from, to, path, line } of edges) {
    if (from === to) continue;
    for (const name of [from, to]) {
      if (row(name) < 0) faults.push(`${path}:${line}: \`${name}\` has no row in e2e/house/arrows.mjs`);
    }
    if (row(from) < 0 || row(to) < 0) continue;
    if (row(to) < row(from)) faults.push(`${path}:${line}: ${from} may not import ${to}, which stands above it`);
    if (row(to) === row(from)) beside.set(from, (beside.get(from) ?? new Set()).add(to));
  }
  return [...new Set(faults), ...circles(beside)];
}

function circles(beside) {
  const faults = [];
  const walk = (name, trail) => {
    if (trail.includes(name)) {
      const circle = trail.slice(trail.indexOf(name));
      // Every circle is found once for each of its members: tell it from the alphabetically first.
      if (!circle.includes('app') && circle.every((member) => name <= member)) faults.push(`import in a circle: ${[...circle, name].join(' -> ')}`);
      return;
    }
    for (const next of beside.get(name) ?? []) walk(next, [...trail, name]);
  };
  for (const name of beside.keys()) walk(name, []);
  return [...new Set(faults)];
}
