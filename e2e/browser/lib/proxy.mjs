// Between one browser and its server: everything that the two say to each other goes through here, so that a test can be the server that lies.
// What is changed are files of the client, answers of the API and frames of the signalling socket; what the browser says goes on as it is, and
// is kept. Media goes past it.

import { once } from 'node:events';
import { createServer, request } from 'node:http';

import WebSocket, { WebSocketServer } from 'ws';

const API = '/api/v1/';
/** Bytes that browsers said are kept for as long as they are not more than this together: a test that looks into them says so when it is over. */
const MAX_SAID_BYTES = 64 * 2 ** 20;
/** Codes that a WebSocket may be closed with by whoever passes them on (RFC 6455 §7.4). */
const isSayable = (code) => (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000);

/**
 * @typedef {object} Change what a lying server does; each may be left out, and may be another one at any time
 * @property {(path: string, text: string) => string} [file] each script of the client
 * @property {(answer: { method: string, path: string, status: number, body: any, asked: any }) => { status?: number, body: any } | void} [answer]
 *   each answer of the API in JSON, with the JSON that asked for it; nothing: as it is
 * @property {(frame: any) => any[]} [frame] each frame of the server: what is sent in its place
 */

/** @param {{ url: string, port: number }} server @param {Change} [change] */
export async function proxyOf(server, change = {}) {
  const proxy = new WebProxy(server, change);
  await proxy.listen();
  return proxy;
}

class WebProxy {
  /** @type {Change} */
  change;
  /** All that the browser said: `{ place, bytes }`, as `lib/canaries.mjs` looks into it. */
  said = [];
  #saidBytes = 0;
  #server;
  #http;
  #sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] });
  /** By the browser's end: the server's. @type {Map<WebSocket, WebSocket>} */
  #pairs = new Map();

  constructor(server, change) {
    this.#server = server;
    this.change = change;
    this.#http = createServer((asked, answer) => void this.#pass(asked, answer).catch(() => answer.destroy()));
    this.#http.on('upgrade', (asked, socket, head) => this.#upgrade(asked, socket, head));
  }

  async listen() {
    this.#http.listen(0, 'localhost');
    await once(this.#http, 'listening');
  }

  /** Where browsers find it. */
  get url() {
    return `http://localhost:${this.#http.address().port}`;
  }

  /** Whether all that was said is kept. */
  get hasAll() {
    return this.#saidBytes <= MAX_SAID_BYTES;
  }

  /** Says something to the browser that the server did not say. `seq` 0 stands outside its numbering. */
  tell(frame) {
    for (const browser of this.#pairs.keys()) if (browser.readyState === WebSocket.OPEN) browser.send(JSON.stringify({ seq: 0, ...frame }));
  }

  /** As a bad network does: both ends lose each other without a word. */
  cut() {
    for (const end of [...this.#pairs].flat()) end.terminate();
  }

  close() {
    this.cut();
    this.#http.close();
    this.#http.closeAllConnections();
  }

  #say(place, bytes) {
    this.#saidBytes += bytes.length;
    if (this.hasAll) this.said.push({ place, bytes });
  }

  async #pass(asked, answer) {
    const body = Buffer.concat(await asked.toArray());
    this.#say(`${asked.method} ${asked.url}`, Buffer.concat([Buffer.from(asked.url), body]));
    // Not compressed, so that it can be changed.
    const { 'accept-encoding': _, ...headers } = asked.headers;
    const passed = request({ host: 'localhost', port: this.#server.port, method: asked.method, path: asked.url, headers });
    passed.end(body);
    const [got] = await once(passed, 'response');
    const changed = this.#changed(asked, body, got, Buffer.concat(await got.toArray()));
    const { 'content-length': __, 'transfer-encoding': ___, ...rest } = got.headers;
    answer.writeHead(changed.status, rest).end(changed.body);
  }

  #changed({ method, url: path }, asked, { statusCode: status, headers }, bytes) {
    if (path.endsWith('.js') && this.change.file) return { status, body: this.change.file(path, bytes.toString()) };
    if (!path.startsWith(API) || !this.change.answer || !/\bjson\b/.test(headers['content-type'] ?? '')) return { status, body: bytes };
    const changed = this.change.answer({ method, path: path.slice(API.length), status, body: JSON.parse(bytes), asked: jsonOf(asked) });
    return changed === undefined ? { status, body: bytes } : { status: changed.status ?? status, body: JSON.stringify(changed.body) };
  }

  #upgrade(asked, socket, head) {
    socket.on('error', () => {});
    const protocols = asked.headers['sec-websocket-protocol'].split(',').map((each) => each.trim());
    const address = `${this.#server.url.replace(/^http/, 'ws')}${asked.url}`;
    const server = new WebSocket(address, protocols, { origin: this.#server.url, perMessageDeflate: false });
    server.once('error', () => socket.destroy());
    server.once('open', () => this.#sockets.handleUpgrade(asked, socket, head, (browser) => this.#pair(browser, server)));
  }

  #pair(browser, server) {
    this.#pairs.set(browser, server);
    browser.on('message', (bytes) => {
      this.#say('WebSocket', bytes);
      server.send(bytes.toString());
    });
    server.on('message', (bytes) => {
      const text = bytes.toString();
      const frames = this.change.frame ? this.change.frame(JSON.parse(text)).map((frame) => JSON.stringify(frame)) : [text];
      for (const frame of frames) browser.send(frame);
    });
    for (const [end, other] of [[browser, server], [server, browser]]) {
      end.on('error', () => {});
      end.once('close', (code, reason) => {
        this.#pairs.delete(browser);
        if (isSayable(code)) other.close(code, reason);
        else other.terminate();
      });
    }
  }
}

/** What was asked; null where that was no JSON. */
function jsonOf(bytes) {
  try {
    return JSON.parse(bytes);
  } catch {
    return null;
  }
}
