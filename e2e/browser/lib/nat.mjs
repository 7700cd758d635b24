// Two home networks behind one NAT, and the Internet on its other side, where the server is: network namespaces of the test's own.
//
//   home0 (10.1.0.2) ─┐
//                     ├─ nat (masquerades as 11.0.0.2) ── the test's own network (11.0.0.1: the server)
//   home1 (10.2.0.2) ─┘
//
// The homes reach the server and not each other. 11.0.0.0/8 is a public range, so the server takes its address for what it is.

import { execFile } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { removeFolder, temporaryFolder } from './children.mjs';

const run = promisify(execFile);
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
const shell = (script) => run('bash', ['-euc', script], { env: { ...process.env, PATH } });

/** The name of the server as homes know it: see `e2e/lib/in-own-network`. */
export const SERVER_NAME = 'public.test';

/** Makes the networks. */
export async function makeHomes() {
  const folder = temporaryFolder('nat');
  await shell(`
    for space in nat home0 home1; do ip netns add $space; ip -n $space link set lo up; done
    ip link add wan0 type veth peer name wan netns nat
    ip address add 11.0.0.1/24 dev wan0; ip link set wan0 up
    ip -n nat address add 11.0.0.2/24 dev wan; ip -n nat link set wan up
    for home in 0 1; do
      ip -n nat link add lan$home type veth peer name eth0 netns home$home
      ip -n nat address add 10.$((home + 1)).0.1/24 dev lan$home; ip -n nat link set lan$home up
      ip -n home$home address add 10.$((home + 1)).0.2/24 dev eth0; ip -n home$home link set eth0 up
      ip -n home$home route add default via 10.$((home + 1)).0.1
    done
    ip netns exec nat sysctl -qw net.ipv4.ip_forward=1
    ip netns exec nat nft 'add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; add rule ip nat out oifname wan masquerade'
    # An address that becomes usable later makes Chromium give up what it loads (ERR_NETWORK_CHANGED).
    for home in 0 1; do for _ in {1..100}; do [[ -n $(ip -n home$home -6 address show tentative) ]] || break; sleep 0.1; done; done
    ip netns exec nat nft 'add table ip filter; add chain ip filter through { type filter hook forward priority 0; }; add rule ip filter through iifname != wan oifname != wan drop'
  `);
  return {
    /** A command that runs another one in a home. */
    command: (home, executable) => {
      const path = join(folder, `in-home${home}`);
      writeFileSync(path, `#!/bin/sh\nexec ip netns exec home${home} ${executable} "$@"\n`);
      chmodSync(path, 0o755);
      return path;
    },
    remove: async () => {
      await shell('for space in home0 home1 nat; do ip netns delete $space; done; ip link delete wan0 2>/dev/null || true');
      removeFolder(folder);
    },
  };
}
