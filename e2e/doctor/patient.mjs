// A server to be examined, in the network namespace that in-own-network made: with a public address, which nothing outside can have
// any use of, and whatever is planted. The doctor runs beside it, as its operator would run it, and answers in JSON.

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';

import { removeFolder, start, stop, temporaryFolder } from '../browser/lib/children.mjs';
import { shiftedClock } from '../browser/lib/clock.mjs';
import { EXECUTABLE } from '../lib/built.mjs';

const START_BOUND_MS = 60_000;
const EXAMINATION_BOUND_MS = 60_000;
/** The address that browsers would be told. */
export const PUBLIC = '93.184.216.34';
export const PORTS = { http: 8080, media: 50_000, turn: 3478 };
const WORKERS = 2;
/** The secret of the server under test; it is nobody's. */
export const TURN_SECRET = 'a-secret-of-the-tests-0123456789';

/** Gives the namespace its public address. Fails outside a namespace of its own, where it would change the machine. */
export function prepareNetwork() {
  if (process.env.WEBCALL_TEST_ADDRESS === undefined) throw new Error('run by e2e/lib/in-own-network: these tests change the network');
  execFileSync('ip', ['address', 'replace', `${PUBLIC}/32`, 'dev', 'call0']);
}

/** Drops what comes to a UDP port; gives what undoes it. */
export function closeUdpPort(port) {
  const rules = `table inet planted { chain input { type filter hook input priority 0; udp dport ${port} drop; }; }`;
  execFileSync('nft', ['-f', '-'], { input: rules });
  return () => execFileSync('nft', ['delete', 'table', 'inet', 'planted']);
}

/**
 * Runs a test beside a server.
 * @param {{ media?: Record<string, unknown>, turn?: Record<string, unknown>, env?: Record<string, string>, by?: string[], is_running?: boolean }} options
 *   `by`: the command that starts the server, in front of it
 */
export async function withPatient(options, test) {
  const patient = new Patient(options);
  try {
    if (options.is_running !== false) await patient.start(options.by ?? []);
    return await test(patient);
  } finally {
    await patient.end();
  }
}

class Patient {
  /** What the server wrote to its log. */
  log = [];
  #folder = temporaryFolder('doctor');
  #env;
  #child = null;

  constructor({ media = {}, turn = {}, env = {} }) {
    const keys = { workers: WORKERS, udp_port: PORTS.media, ...media };
    const relaying = { udp_port: PORTS.turn, relay_port_min: 61_000, relay_port_max: 61_999, max_allocations: 1_000, ...turn };
    writeFileSync(this.#settings, section('media', keys) + section('turn', relaying));
    this.#env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, HOME: this.#folder, PORT: String(PORTS.http), TURN_SECRET, ...env };
  }

  get #settings() {
    return join(this.#folder, 'turn.toml');
  }

  get #options() {
    return ['--data', join(this.#folder, 'data'), '--turn-config', this.#settings];
  }

  /** The process of the server. */
  get id() {
    return this.#child.pid;
  }

  async start(by) {
    const [command, ...args] = [...by, EXECUTABLE, ...this.#options];
    const child = start(command, args, { cwd: this.#folder, env: { ...this.#env, RUST_LOG: 'warn' } });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
    let timer;
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the server ${why}\n${this.log.join('\n')}`));
      timer = setTimeout(() => fail('is not ready in time'), START_BOUND_MS);
      child.once('exit', (code) => fail(`ended with ${code} at start`));
      child.once('error', (error) => fail(error.message));
      createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('WebCall is ready') && resolve());
    }).finally(() => clearTimeout(timer));
  }

  /**
   * Runs the doctor.
   * @param {{ options?: string[], env?: Record<string, string>, by?: string[] }} how
   * @returns {Promise<{ exit_code: number, findings: Array<{ check: string, severity: string, code: string, found: string, means: string, todo: string }>, faults: string[] }>}
   */
  examine({ options = [], env = {}, by = [] } = {}) {
    return doctor([...this.#options, ...options], { ...this.#env, ...env }, by);
  }

  async end() {
    if (this.#child !== null) await stop(this.#child);
    removeFolder(this.#folder);
  }
}

/** `webcall doctor` with these options. */
export function doctor(options, env = { PATH: process.env.PATH }, by = []) {
  const [command, ...args] = [...by, EXECUTABLE, 'doctor', '--json', ...options];
  return new Promise((resolve, reject) => {
    execFile(command, args, { env, timeout: EXAMINATION_BOUND_MS }, (error, stdout, stderr) => {
      if (error !== null && error.code !== 1) return reject(new Error(`the doctor failed: ${error.message}\n${stderr}`));
      const { findings, healthy } = JSON.parse(stdout);
      const faults = findings.filter(({ severity }) => severity === 'fault').map(({ code }) => code);
      if (healthy !== (faults.length === 0)) return reject(new Error(`healthy: ${healthy}, faults: ${faults}`));
      resolve({ exit_code: error === null ? 0 : 1, findings, faults });
    });
  });
}

/** A server that says the time by HTTP; gives its address. */
export async function timeServer() {
  const server = createServer((_, response) => response.writeHead(204).end());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => close(server) };
}

/** A program that has a TCP port and is not WebCall. */
export async function stranger(port) {
  const server = createServer((_, response) => response.end('hello'));
  await new Promise((resolve) => server.listen(port, resolve));
  return { close: () => close(server) };
}

/**
 * A server that shows a certificate for `calls.example`, which an authority of the test signed at `made` for 60 days.
 * @param {string} made as `shiftedClock` takes it
 */
export async function pageWithCertificate(made) {
  const folder = temporaryFolder('certificate');
  const at = (name) => join(folder, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', env: { ...process.env, ...shiftedClock(made) } });
  const request = ['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];
  openssl(...request, '-x509', '-days', '60', '-subj', '/CN=authority', '-keyout', at('authority.key'), '-out', at('authority.pem'));
  openssl(...request, '-subj', '/CN=calls.example', '-keyout', at('key.pem'), '-out', at('request.pem'));
  writeFileSync(at('names'), 'subjectAltName=DNS:calls.example\n');
  const signing = ['-CA', at('authority.pem'), '-CAkey', at('authority.key'), '-CAcreateserial', '-extfile', at('names')];
  openssl('x509', '-req', '-days', '60', '-in', at('request.pem'), ...signing, '-out', at('cert.pem'));
  const server = createTlsServer({ key: readFileSync(at('key.pem')), cert: readFileSync(at('cert.pem')) }, (socket) => socket.end());
  server.on('tlsClientError', () => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { authority: `127.0.0.1:${server.address().port}`, file: at('cert.pem'), close: () => close(server).then(() => removeFolder(folder)) };
}

function close(server) {
  server.closeAllConnections?.();
  return new Promise((resolve) => server.close(resolve));
}

function section(name, keys) {
  const lines = Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[${name}]\n${lines.join('\n')}\n\n`;
}
