/**
 * What kubelet-confgen costs a host: how much the kubelet's package grows, and how long one run takes. Ends with 1 when
 * a figure is behind its bar. Run: npm run bench
 */

import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadCatalog } from '../src/catalog/catalog.ts';
import { generatorData } from '../src/catalog/generator-data.ts';
import { table } from '../src/cli/render/table.ts';
import { ARCHITECTURES } from '../src/model/architecture.ts';
import { confgenPrograms } from '../src/runner/program.ts';
import { ownArchitecture } from './runners/machines.ts';
import { makeRunners } from './runners.ts';

/** Bytes, installed. */
const SIZE_BAR = 1_200_000;
/** Milliseconds from start to end, the median. */
const TIME_BAR = 20;
const RUNS = 51;

const own = ownArchitecture();
await makeRunners(ARCHITECTURES, { say: () => {}, fetchMusl: true });
const data = generatorData(await loadCatalog(), '1.36.4');
const programs = await confgenPrograms(ARCHITECTURES, data);

const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-bench-'));
let median = Number.NaN;
try {
  const bytes = own === undefined ? undefined : programs.get(own);
  if (bytes !== undefined) {
    const path = join(directory, 'kubelet-confgen');
    writeFileSync(path, bytes);
    chmodSync(path, 0o755);
    const times = Array.from({ length: RUNS }, () => {
      const start = performance.now();
      // Plans for this machine as it is, and writes nothing.
      spawnSync(path, ['plan']);
      return performance.now() - start;
    }).sort((a, b) => a - b);
    median = times[RUNS >> 1] ?? Number.NaN;
  }
} finally {
  rmSync(directory, { recursive: true });
}

const rows = [...programs].map(([architecture, { length }]) => [
  `kubelet-confgen on ${architecture}, bytes installed`,
  String(length),
  `< ${SIZE_BAR}`,
  length < SIZE_BAR ? 'ok' : 'BEHIND',
]);
if (!Number.isNaN(median)) {
  const verdict = median < TIME_BAR ? 'ok' : 'BEHIND';
  rows.push([`plan on ${own}, start to end, ms, median of ${RUNS}`, median.toFixed(1), `< ${TIME_BAR}`, verdict]);
}
process.stdout.write(`${table(['Figure', '>Measured', '>Bar', ''], rows)}\n`);
process.exitCode = rows.every((row) => row[3] === 'ok') ? 0 : 1;
