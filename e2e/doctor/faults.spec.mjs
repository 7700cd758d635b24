// `webcall doctor` finds each fault that is planted, and no other; on a healthy host it finds none. Every test plants one thing beside a
// real server, in a network namespace of its own.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { shiftedClock } from '../browser/lib/clock.mjs';
import { PORTS, PUBLIC, closeUdpPort, doctor, pageWithCertificate, prepareNetwork, stranger, timeServer, withPatient } from './patient.mjs';

let time;
let page;
let healthy;

before(async () => {
  prepareNetwork();
  time = await timeServer();
  page = await pageWithCertificate('-1d');
  healthy = ['--time-url', time.url, '--tls', page.authority, '--domain', 'calls.example'];
});
after(async () => {
  await page?.close();
  await time?.close();
});

/** The doctor's faults are exactly these, and it ends accordingly. */
function finds(examination, ...codes) {
  assert.deepEqual(examination.faults, codes, JSON.stringify(examination.findings, null, 1));
  assert.equal(examination.exit_code, codes.length === 0 ? 0 : 1);
  return examination.findings.find(({ severity }) => severity === 'fault');
}

function finding({ findings }, check) {
  return findings.find((each) => each.check === check);
}

test('a healthy host has no fault, and every check was carried out', () =>
  withPatient({}, async (patient) => {
    const examination = await patient.examine({ options: healthy });
    finds(examination);
    for (const check of ['settings', 'TCP port', 'database', 'UDP ports', 'TURN secret', 'public address', 'certificate', 'clock']) {
      assert.equal(finding(examination, check)?.severity, 'ok', `${check}: ${JSON.stringify(examination.findings, null, 1)}`);
    }
    // Those two depend on the machine that runs the tests: seen, and no fault.
    for (const check of ['file limit', 'socket buffers']) assert.match(finding(examination, check).found, /\d/);
    assert.match(finding(examination, 'file limit').found, /^the server may open/);
    assert.match(finding(examination, 'UDP ports').found, new RegExp(`${PUBLIC}:${PORTS.media + 1}.*${PUBLIC}:${PORTS.turn} \\(TURN\\)`));
    assert.match(finding(examination, 'from outside').todo, /--probe calls\.example --ports 50000,50001,3478.*\/diagnostics/);
  }));

test('a host where no server runs yet has no fault either', () =>
  withPatient({ is_running: false }, async (patient) => {
    const examination = await patient.examine({ options: healthy });
    finds(examination);
    assert.equal(finding(examination, 'TCP port').code, 'server_not_running');
  }));

for (const [name, port] of [['a media', PORTS.media + 1], ['the TURN', PORTS.turn]]) {
  test(`${name} port that a firewall closes is found, from the host and from a second one`, () =>
    withPatient({}, async (patient) => {
      const probe = ['--probe', PUBLIC, '--ports', `${PORTS.turn},${PORTS.media}-${PORTS.media + 1}`];
      finds(await doctor(probe));
      const open = closeUdpPort(port);
      try {
        const fault = finds(await patient.examine({ options: healthy }), 'udp_closed');
        assert.match(fault.found, new RegExp(`${PUBLIC}:${port}`));
        finds(await doctor(probe), 'udp_closed');
      } finally {
        open();
      }
    }));
}

test('an advertised address at which nothing answers is found', () =>
  withPatient({ media: { advertised: ['198.51.100.7'] } }, async (patient) => {
    const fault = finds(await patient.examine({ options: healthy }), 'public_address_wrong');
    assert.match(fault.found, /198\.51\.100\.7 .*nothing answers/);
  }));

test('an advertised address that a STUN server does not see is found', () =>
  withPatient({ media: { advertised: ['198.51.100.7'] } }, async (patient) => {
    // The server's own port is as good a STUN server as any: it sees this host at its public address.
    const fault = finds(await patient.examine({ options: [...healthy, '--stun', `${PUBLIC}:${PORTS.turn}`] }), 'public_address_wrong');
    assert.match(fault.found, new RegExp(`198\\.51\\.100\\.7 .*STUN servers see ${PUBLIC.replaceAll('.', '\\.')}`));
  }));

test('an expired certificate is found, where it is shown and in its file', async () => {
  const expired = await pageWithCertificate('-90d');
  try {
    await withPatient({}, async (patient) => {
      const shown = ['--time-url', time.url, '--tls', expired.authority, '--domain', 'calls.example'];
      finds(await patient.examine({ options: shown }), 'certificate_expired');
      finds(await patient.examine({ options: healthy, env: { TLS_CERT: expired.file, TLS_KEY: expired.file } }), 'certificate_expired');
    });
  } finally {
    await expired.close();
  }
});

test('a certificate for another name is found', () =>
  withPatient({}, async (patient) => {
    const options = ['--time-url', time.url, '--tls', page.authority, '--domain', 'other.example'];
    finds(await patient.examine({ options }), 'certificate_wrong_name');
  }));

for (const [name, offset] of [['ahead', '+1h'], ['behind', '-1h']]) {
  test(`a clock that is an hour ${name} is found`, () =>
    withPatient({ env: shiftedClock(offset) }, async (patient) => {
      const fault = finds(await patient.examine({ options: healthy }), 'clock_wrong');
      // The answer with the other time is a while on its way when the machine is busy.
      const [, off_s, way] = /^(\d+) s (\w+)/.exec(fault.found);
      assert.ok(way === name && Math.abs(off_s - 3_600) < 60, fault.found);
    }));
}

test('a TURN secret that is not the running server\'s is found', () =>
  withPatient({}, async (patient) => {
    const env = { TURN_SECRET: 'another-secret-of-the-tests-9876543210' };
    finds(await patient.examine({ options: healthy, env }), 'turn_secret_mismatch');
  }));

test('a TCP port that another program has is found, and the program named', async () => {
  const other = await stranger(PORTS.http);
  try {
    await withPatient({ is_running: false }, async (patient) => {
      const fault = finds(await patient.examine({ options: healthy }), 'port_taken');
      assert.match(fault.found, new RegExp(`port ${PORTS.http} \\(process ${process.pid},`));
    });
  } finally {
    await other.close();
  }
});

test('a tiny socket buffer is found', () =>
  withPatient({ media: { socket_buffer_bytes: 65_536 } }, async (patient) => {
    finds(await patient.examine({ options: healthy }), 'socket_buffer_small');
  }));

test('a database that cannot be reached is found, and its password is not shown', () =>
  withPatient({ is_running: false, env: { DATABASE_URL: 'postgres://calls:hush-hush@127.0.0.1:9/calls' } }, async (patient) => {
    const examination = await patient.examine({ options: healthy });
    finds(examination, 'database_unreachable');
    assert.doesNotMatch(JSON.stringify(examination.findings), /hush-hush/);
  }));

test('a file limit that is too low for the server is found, though this command has a higher one', () =>
  withPatient({ by: ['prlimit', '--nofile=200:200'] }, async (patient) => {
    const fault = finds(await patient.examine({ options: healthy }), 'file_limit_low');
    assert.match(fault.found, /^the server may open 200 files/);
  }));

// As Docker makes one: an interface in a private network behind which nobody is, and the engine's mark. `before` runs inside, ahead of
// the server.
function container(before = '') {
  const script = `
    ip link set lo up
    ip link add eth0 type veth peer name eth1
    ip address add 172.17.0.2/16 dev eth0
    ip link set eth0 up
    ip link set eth1 up
    mount -t sysfs none /sys
    mount -t tmpfs none /run
    touch /run/.containerenv
    ${before}
    exec "$@"`;
  return ['unshare', '--net', '--mount', 'bash', '-euc', script, 'container'];
}

const inside = (patient) => ['nsenter', '--target', String(patient.id), '--net', '--mount'];

test('a container that advertises nothing but its own address is found, and its server says so at its start', () =>
  withPatient({ by: container() }, async (patient) => {
    const fault = finds(await patient.examine({ options: ['--time-url', time.url], by: inside(patient) }), 'container_address');
    assert.match(fault.found, /172\.17\.0\.2/);
    const said = patient.log.filter((line) => line.includes('container_address'));
    assert.equal(said.length, 1);
    assert.doesNotMatch(said[0], /172\.17/, 'no address reaches the log');
  }));

test('behind a 1:1 NAT the address that a STUN server sees is advertised, and there is no fault', () => {
  // Two answers: for the start and for the doctor.
  const stun = `exec 3< <(exec node e2e/doctor/stun-server.mjs 3479 ${PUBLIC} 2); read -r -u 3 ready; exec 3<&-`;
  const by = container(`cd ${new URL('../..', import.meta.url).pathname}; ${stun}`);
  return withPatient({ by, media: { stun_servers: ['127.0.0.1:3479'] } }, async (patient) => {
    const examination = await patient.examine({ options: ['--time-url', time.url], by: inside(patient) });
    finds(examination);
    assert.match(finding(examination, 'public address').found, /best first: 93\.184\.216\.34, 172\.17\.0\.2/);
    assert.match(finding(examination, 'TURN secret').found, /its relays are at 93\.184\.216\.34/);
    assert.equal(patient.log.filter((line) => line.includes('container_address')).length, 0);
  });
});

test('settings that the server would refuse are a fault, and what does not depend on them is still looked at', () =>
  withPatient({ is_running: false, media: { workers: 65 } }, async (patient) => {
    const examination = await patient.examine({ options: healthy });
    assert.match(finds(examination, 'configuration_invalid').found, /media\.workers/);
    assert.equal(finding(examination, 'clock').severity, 'ok');
  }));
