// A certificate authority of the test's own, and a server's certificate by it, made with openssl.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAYS = '30';

/**
 * Makes both into a folder.
 * @param {string} folder
 * @param {string} name the server's
 * @returns {{ ca: string, cert: string, key: string }} their files
 */
export function makeCertificate(folder, name) {
  const file = (of) => join(folder, of);
  const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', DAYS];
  openssl('req', '-x509', ...ec, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=authority of a test');
  openssl('req', ...ec, '-keyout', 'server.key', '-out', 'server.csr', '-subj', `/CN=${name}`);
  writeFileSync(file('extensions'), `subjectAltName=DNS:${name}\nextendedKeyUsage=serverAuth\n`);
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', DAYS, '-extfile', 'extensions'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.pem');
  return { ca: file('ca.pem'), cert: file('server.pem'), key: file('server.key') };
}

/** Has a browser trust an authority: by the NSS database in this folder. */
export function trust(folder, ca) {
  mkdirSync(folder, { recursive: true });
  const certutil = (...words) => execFileSync('certutil', ['-d', `sql:${folder}`, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  certutil('-N', '--empty-password');
  certutil('-A', '-n', 'authority of a test', '-t', 'C,,', '-i', ca);
}
