// The binary as a newcomer starts it: a data folder of its own, free ports, its two printed lines. Keeps its log and says
// what must never stand in one.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { BUILT, EXECUTABLE } from '../../lib/built.mjs';
import { wordsInMemory } from '../../lib/memory.mjs';
import { makeCertificate } from './authority.mjs';
import { removeFolder, start, stop, temporaryFolder } from './children.mjs';

/** The same server, whose media workers crash at SIGUSR1. */
const CRASHING_EXECUTABLE = join(BUILT, 'crashing');
/** The address that browsers reach and that is not the loopback one: Firefox pairs no loopback candidates. */
export const ADDRESS = process.env.WEBCALL_TEST_ADDRESS ?? null;
/** The name of a server with pages in TLS; leads to ADDRESS, within `e2e/lib/in-own-network`. */
const DOMAIN = 'call.test';
/** Media threads of a server under test: two, so that rooms spread and ports are in a row. */
export const WORKERS = 2;
const START_BOUND_MS = 60_000;
const MAX_LOG_LINES = 50_000;
/**
 * Before the browsers in the queue for a processor, where that may be had (by root): a real server shares none with ten of them, and
 * one that is kept off its processor leaves voices out, as it should.
 */
const PRECEDENCE = process.getuid?.() === 0 ? ['nice', '-n', '-10'] : [];
/** Above every port that the system gives out by itself. */
const RELAY_PORTS = { first: 61_000, last: 65_535 };

/**
 * Starts a server.
 * @param {{ env?: Record<string, string>, media?: Record<string, string>, turn?: Record<string, string>, can_crash?: boolean, whole_log?: boolean }} options
 *   `media`, `tcp`, `turn`: further keys of turn.toml; `can_crash`: for `crashWorkers`; `whole_log`: keeps all that is logged, in a file; `tls`: pages in TLS, by an authority of the test, under this name or `call.test`
 */
export async function startServer({ env = {}, media = {}, tcp = {}, turn = {}, can_crash = false, tls = false, whole_log = false } = {}) {
  const folder = temporaryFolder('server');
  const name = tls === true ? DOMAIN : tls;
  const files = name ? makeCertificate(folder, name) : null;
  if (files !== null) env = { DOMAIN: name, TLS_CERT: files.cert, TLS_KEY: files.key, METRICS_TOKEN: 'figures of a test', ...env };
  const executable = can_crash ? CRASHING_EXECUTABLE : EXECUTABLE;
  const server = new Server(executable, folder, await freeTcpPort(), await freeUdpPorts(WORKERS + 1), env, files?.ca);
  server.configure(media, turn, tcp);
  if (whole_log) server.keepLog();
  await server.start();
  return server;
}

class Server {
  log = [];
  secret = '';
  /** When `start` last saw the server ready, and how long that took. */
  ready_ms = 0;
  #executable;
  #folder;
  #env;
  #child = null;
  /** Where all that is logged is written, if it is. */
  #logFile = null;
  #crashes = 0;
  /** What it said of each. */
  #panics = [];
  /** Done when the last line of its log has been read. */
  #logged = Promise.resolve();

  constructor(executable, folder, port, media_port, env, ca) {
    this.#executable = executable;
    this.#folder = folder;
    this.port = port;
    this.media_port = media_port;
    this.turn_port = media_port + WORKERS;
    /** The authority of its certificate, when pages are in TLS. */
    this.ca = ca;
    this.url = ca ? `https://${env.DOMAIN}:${port}` : `http://localhost:${port}`;
    this.#env = env;
  }

  /** The folder with everything that it keeps. */
  get data() {
    return join(this.#folder, 'data');
  }

  /** Writes turn.toml, with further keys of its sections; takes effect at the next start. */
  configure(media, turn = {}, tcp = {}) {
    const keys = { workers: WORKERS, udp_port: this.media_port, ...media };
    const relaying = { udp_port: this.turn_port, relay_port_min: RELAY_PORTS.first, relay_port_max: RELAY_PORTS.last, ...turn };
    writeFileSync(join(this.#folder, 'turn.toml'), section('media', keys) + section('tcp', tcp) + section('turn', relaying));
  }

  async start() {
    const started_ms = Date.now();
    const files = ['--data', this.data, '--turn-config', join(this.#folder, 'turn.toml')];
    const [command, ...args] = [...PRECEDENCE, this.#executable, ...files];
    const child = start(command, args, {
      cwd: this.#folder,
      env: { PATH: process.env.PATH, HOME: this.#folder, RUST_LOG: process.env.RUST_LOG ?? 'info', ...this.#env, PORT: String(this.port) },
    });
    this.#child = child;
    if (this.#logFile !== null) child.stderr.on('data', (bytes) => appendFileSync(this.#logFile, bytes));
    this.#logged = once(createInterface({ input: child.stderr }).on('line', (line) => this.#hear(line)), 'close');
    const printed = [];
    let timer;
    const ready = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(this.#trouble(`not ready in ${START_BOUND_MS} ms`)), START_BOUND_MS);
      child.once('exit', (code) => reject(this.#trouble(`ended with ${code} at start`)));
      child.once('error', (error) => reject(this.#trouble(error.message)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        printed.push(line);
        if (printed.length === 2) resolve();
      });
    });
    await ready.finally(() => clearTimeout(timer)).catch(async (error) => {
      await stop(child, 'SIGKILL');
      throw error;
    });
    child.removeAllListeners('exit');
    this.ready_ms = Date.now() - started_ms;
    const address = /^WebCall is ready: (\S+)$/.exec(printed[0]);
    const secret = /^Registration secret: (\S+)$/.exec(printed[1]);
    if (address?.[1] !== this.url || secret === null) throw this.#trouble(`printed ${JSON.stringify(printed)}`);
    this.secret = secret[1];
  }

  #hear(line) {
    if (this.log.length < MAX_LOG_LINES) this.log.push(line);
    if (line.includes('"message":"a panic"') && this.#panics.length < MAX_LOG_LINES) this.#panics.push(line);
  }

  /** From the next start on all that is logged is kept in a file, too: `log` has a bounded part of it. */
  keepLog() {
    this.#logFile = join(this.#folder, 'log');
  }

  /** Which of these words are in its memory, and so in a crash dump of it. @param {Record<string, string | Uint8Array>} words by name */
  wordsInMemory(words) {
    return wordsInMemory(this.#child.pid, words);
  }

  /** All that was logged since `keepLog`. */
  wholeLog() {
    return readFileSync(this.#logFile);
  }

  /** The environment of the next start, beside what it had. */
  set environment(more) {
    this.#env = { ...this.#env, ...more };
  }

  /** Stops as a service manager would, and fails when the server does not end well. */
  async stop() {
    await stop(this.#child, 'SIGTERM', 20_000);
    if (this.#child.exitCode !== 0) throw this.#trouble(`ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
  }

  /** Ends it as a power cut would. */
  async kill() {
    await stop(this.#child, 'SIGKILL');
  }

  /** Makes every media worker panic, once. */
  crashWorkers() {
    this.#crashes += 1;
    this.#child.kill('SIGUSR1');
  }

  /** Has it read its settings again; done when it has said so. */
  async reload() {
    const before = this.#reloads();
    this.#child.kill('SIGHUP');
    while (this.#reloads() === before) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  #reloads() {
    return this.log.filter((line) => /"message":"settings read again"/.test(line)).length;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  /** Ends it and removes its data; gives what must never stand in its log. */
  async close() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
    await this.#logged;
    removeFolder(this.#folder);
    return this.complaints();
  }

  /** Panics that nobody asked for, secrets, tokens and the addresses of people in the log. */
  complaints() {
    const asked = this.#crashes * WORKERS;
    const unasked = this.#panics.length === asked ? [] : [`server: ${this.#panics.length} panics, ${asked} were asked for`, ...this.#panics.map((line) => `server log: ${line}`)];
    return [...unasked, ...this.#leaks()];
  }

  #leaks() {
    const forbidden = [/\beyJ[\w-]{10,}/, new RegExp(escaped(this.secret))];
    if (ADDRESS !== null) forbidden.push(new RegExp(`${escaped(ADDRESS)}:\\d+`));
    return this.log.filter((line) => forbidden.some((each) => each.test(line))).map((line) => `server log: ${line}`);
  }

  /** One HTTP request to the API; fails on anything but success. A rate limit is honoured as a person would: by waiting. */
  async request(method, path, { token, body } = {}) {
    for (;;) {
      const response = await this.fetch(`/api/v1/${path}`, {
        method,
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
      });
      if (response.status === 429) {
        await response.text();
        await new Promise((resolve) => setTimeout(resolve, 1000 * Number(response.headers.get('retry-after') ?? 1)));
        continue;
      }
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text === '' ? null : JSON.parse(text);
    }
  }

  /** The figures, as a dashboard gets them. */
  async metrics() {
    const headers = this.#env.METRICS_TOKEN ? { authorization: `Bearer ${this.#env.METRICS_TOKEN}` } : {};
    return (await this.fetch('/metrics', { headers })).text();
  }

  /** As `fetch`, from this server, and trusting its certificate. */
  async fetch(path, { method = 'GET', headers = {}, body } = {}) {
    if (!this.ca) return fetch(`${this.url}${path}`, { method, headers, body });
    return new Promise((resolve, reject) => {
      const request = https.request(`${this.url}${path}`, { method, headers, ca: readFileSync(this.ca) }, async (response) => {
        const chunks = await response.toArray();
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode, headers: response.headers }));
      });
      request.once('error', reject);
      request.end(body);
    });
  }

  /** A new account: { user, access_token }. */
  register(username, password) {
    return this.request('POST', 'auth/register', { body: { username, password, registration_secret: this.secret } });
  }

  #trouble(what) {
    return new Error(`server: ${what}\n${this.log.slice(-30).join('\n')}`);
  }
}

/** One section of turn.toml. */
function section(name, keys) {
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${toml(value)}\n`);
  return `[${name}]\n${lines.join('')}\n`;
}

function toml(value) {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value !== 'object') return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, each]) => `${key} = ${toml(each)}`).join(', ')} }`;
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

export async function freeTcpPort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

/** The first of `count` free UDP ports in a row. */
export async function freeUdpPorts(count) {
  for (let tries = 0; tries < 100; tries += 1) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const row = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(row.map(isFree))).every(Boolean)) return first;
  }
  throw new Error('no free UDP ports');
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createSocket('udp4');
    probe.once('error', () => resolve(false));
    probe.bind(port, () => probe.close(() => resolve(true)));
  });
}
