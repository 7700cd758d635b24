// What may not be named where, and how long a file may be.

import { jsCode, lineOf, rustCode, testFiles, withoutTests } from './source.mjs';

/** Lines of one file at most. */
export const MAX_LINES = 600;

const GENERATED = /(^|\/)(Cargo\.lock|package-lock\.json|openapi\.json|protocol\.d\.ts)$/;
const SOURCE = /\.(rs|m?js|ts|css|sql|html|toml|sh)$/;

const RULES = [
  {
    where: /^media\/src\/(sfu|turn|transport|codec|rtp|rtcp)(\/|\.rs$)/,
    what: /\bUdpSocket\b|\bTcp(?:Stream|Listener|Socket)\b|\btokio\b|\b(?:Instant|SystemTime)\s*::\s*now\b/g,
    why: 'sfu, turn, transport, codec, rtp and rtcp name no socket, no tokio and no clock',
  },
  {
    where: /^media\/src\/(?!transport(\/|\.rs$)|turn(\/|\.rs$))/,
    what: /\brtc_(?:stun|dtls|srtp|crypto|rtp|rtcp|sdp|shared)\b/g,
    why: 'names of the webrtc-rs family stay inside transport (and the STUN codec of turn)',
  },
  { where: /^src\//, what: /\brtc_\w+\s*::/g, why: 'the server knows the media core by its handle only' },
  { where: /\.rs$/, except: /^media\/src\/net(\/|\.rs$)/, what: /\bunsafe\b/g, why: 'unsafe code stands in media/src/net only', tests: true },
  {
    where: /^(src|trust)\//,
    what: /\bMlsGroup\b/g,
    why: 'the server is in no group: it knows public groups only, and what is shared with it knows no more',
  },
  { where: /^web\/(state|rtc|e2ee)\//, what: /(?<![.\w])(?:document|window)\b(?!\s*:)/g, why: 'state, rtc and e2ee never touch the DOM' },
  {
    where: /^web\/e2ee\/media\//,
    except: /^web\/e2ee\/media\/frames\.js$/,
    what: /\b(?:enqueue|pipeTo|pipeThrough|TransformStream|writable|getWriter)\b/g,
    why: 'a frame leaves the media worker in frames.js only, sealed or opened',
  },
  { where: /^web\//, what: /\bcreateEncodedStreams\b/g, why: 'frames are sealed and opened in a worker, never in the page' },
  {
    where: /^web\/.*\.m?js$/,
    what: /\b(?:innerHTML|outerHTML|insertAdjacentHTML)\b|\bdocument\s*\.\s*write\b|(?<![.\w])eval\s*\(|\bnew\s+Function\b/g,
    why: 'no text becomes markup or code',
    tests: true,
  },
];

// Attributes of the page itself, read as text.
const PAGE_RULES = [
  { what: /<script(?![^>]*\bsrc=)[^>]*>/g, why: 'no inline script' },
  { what: /<style\b|\sstyle\s*=/g, why: 'no inline style' },
  { what: /\son\w+\s*=/g, why: 'no inline handler' },
];

/** Every broken rule in a tree of `{ path: text }`. */
export function brokenRules(files) {
  const tests = testFiles(files);
  return Object.entries(files).flatMap(([path, text]) => [...tooLong(path, text), ...named(path, text, tests), ...inPage(path, text)]);
}

function tooLong(path, text) {
  if (!SOURCE.test(path) || GENERATED.test(path)) return [];
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return lines > MAX_LINES ? [`${path}: ${lines} lines; ${MAX_LINES} at most`] : [];
}

function named(path, text, tests) {
  const isRust = path.endsWith('.rs');
  if (!isRust && !/\.m?js$/.test(path)) return [];
  const rules = RULES.filter((rule) => rule.where.test(path) && !rule.except?.test(path) && (rule.tests || !tests.has(path)));
  if (rules.length === 0) return [];
  const whole = isRust ? rustCode(text) : jsCode(text, { strings: 'blank' });
  const shipped = isRust ? withoutTests(whole) : whole;
  return rules.flatMap((rule) =>
    [...(rule.tests ? whole : shipped).matchAll(rule.what)].map(
      (found) => `${path}:${lineOf(text, found.index)}: \`${found[0]}\`: ${rule.why}`,
    ),
  );
}

function inPage(path, text) {
  if (!/^web\/.*\.html$/.test(path)) return [];
  return PAGE_RULES.flatMap((rule) => [...text.matchAll(rule.what)].map((found) => `${path}:${lineOf(text, found.index)}: ${rule.why}`));
}
