// Serves the client's own files and the page of `inpage/loopback.mjs`, under the content policy of the real pages, read from the server's
// source.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join, normalize } from 'node:path';

const root = new URL('../../..', import.meta.url).pathname;
const PAGE = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>loopback</title>
<div data-tile data-username="anna" data-participant="p1"><video width="320" height="180" muted playsinline></video></div>
<audio data-participant="p1"></audio><script type="module" src="/page.js"></script>`;
const INPAGE = { '/page.js': 'e2e/browser/inpage/loopback.mjs', '/besieged.js': 'e2e/browser/inpage/besieged.mjs' };
const SCRIPT = 'text/javascript; charset=utf-8';

function policy() {
  const source = readFileSync(join(root, 'src/http/headers.rs'), 'utf8');
  const written = /const CONTENT_SECURITY_POLICY: &str = "([^"]+)"/.exec(source)?.[1].replaceAll(/\\\n\s*/g, '');
  if (!written?.includes('require-trusted-types-for')) throw new Error('no content policy in src/http/headers.rs');
  return written;
}

/** @returns {Promise<{ url: string, close: () => void }>} */
export async function serveLoopback() {
  const headers = { 'content-security-policy': policy(), 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url, 'http://localhost').pathname);
    const file = INPAGE[path] ?? (path.startsWith('/web/') && path.endsWith('.js') ? path.slice(1) : null);
    if (path !== '/' && file === null) return response.writeHead(404, headers).end();
    const type = file === null ? 'text/html; charset=utf-8' : SCRIPT;
    response.writeHead(200, { ...headers, 'content-type': type }).end(file === null ? PAGE : readFileSync(join(root, file)));
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}
