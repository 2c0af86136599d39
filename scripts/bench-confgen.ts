/**
 * Measures kubelet-confgen: its installed size, and the duration of a run. Exits with 1 if a value exceeds its limit.
 * Run: npm run bench
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
import { buildRunners } from './runners.ts';

/** Bytes, installed. */
const MAX_SIZE = 1_200_000;
/** Milliseconds, median. */
const MAX_TIME = 20;
const RUNS = 51;

const own = ownArchitecture();
await buildRunners(ARCHITECTURES, { say: () => {}, fetchMusl: true });
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
      spawnSync(path, ['plan']);
      return performance.now() - start;
    }).sort((a, b) => a - b);
    median = times[RUNS >> 1] ?? Number.NaN;
  }
} finally {
  rmSync(directory, { recursive: true });
}

const rows = [...programs].map(([architecture, { length }]) => [
  `installed size on ${architecture}, bytes`,
  String(length),
  `< ${MAX_SIZE}`,
  length < MAX_SIZE ? 'ok' : 'TOO LARGE',
]);
if (!Number.isNaN(median)) {
  const verdict = median < MAX_TIME ? 'ok' : 'TOO SLOW';
  rows.push([`duration of plan on ${own}, ms, median of ${RUNS}`, median.toFixed(1), `< ${MAX_TIME}`, verdict]);
}
process.stdout.write(`${table(['Figure', '>Measured', '>Limit', ''], rows)}\n`);
process.exitCode = rows.every((row) => row[3] === 'ok') ? 0 : 1;
