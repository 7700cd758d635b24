// The table of e2e/rivals, from one file of JSON lines for each server and load: rivals-table.mjs FOLDER LOAD... -- SERVER...

import { readFileSync } from 'node:fs';

const [folder, ...words] = process.argv.slice(2);
const loads = words.slice(0, words.indexOf('--'));
const servers = words.slice(words.indexOf('--') + 1);

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const spread = (values, digits) => {
  if (values.length === 0) return '-';
  return [median(values), Math.min(...values), Math.max(...values)].map((value) => value.toFixed(digits)).join(' / ');
};
const runs = (server, load) => {
  try {
    return readFileSync(`${folder}/${server}-${load}.json`, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  } catch {
    return [];
  }
};

console.log('| load | server | runs | packets per cpu second, thousand: median / min / max | lost | undecodable | p50 us | p99 us | generator idle, % | against the first |');
console.log('|---|---|---|---|---|---|---|---|---|---|');
for (const load of loads) {
  const rate = (server) => runs(server, load).map((run) => run.packets_per_cpu_second / 1000).filter(Number.isFinite);
  for (const server of servers) {
    const all = runs(server, load);
    const sum = (name) => all.reduce((total, run) => total + run[name], 0);
    // Without idle time it was the generator that set the pace, and the server that waited.
    const idle = all.map((run) => (100 * run.generator_idle_seconds) / run.seconds).filter(Number.isFinite);
    const factor = median(rate(servers[0])) / median(rate(server));
    const columns = [
      load, server, all.length, spread(rate(server), 1), sum('lost'), sum('undecodable'),
      spread(all.map((run) => run.latency_us.p50), 0), spread(all.map((run) => run.latency_us.p99), 0),
      spread(idle, 0),
      Number.isFinite(factor) ? `1 : ${factor.toFixed(2)}` : '-',
    ];
    console.log(`| ${columns.join(' | ')} |`);
  }
}
