/**
 * Measures a build: kubeparcel with an empty cache, with a new revision, and without changes; dpkg-deb and rpmbuild with the
 * same contents and level; nfpm, if the Go module proxy is reachable; and the minimum, zstd of every binary once. Each round
 * runs all of them in turn. --check exits with 1 if a ratio misses its limit.
 *
 * Run: node lib/scripts/bench-build.js --level 19 --rounds 3
 */

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { table } from '../src/cli/render/table.ts';
import { createBench, type Step } from './bench/build-steps.ts';
import { type Measured, measure } from './measure.ts';

const { values } = parseArgs({
  options: {
    level: { type: 'string', default: '19' },
    rounds: { type: 'string', default: '3' },
    check: { type: 'boolean', default: false },
  },
});
const level = Number(values.level);
const rounds = Number(values.rounds);

const bench = await createBench(level, (line) => process.stderr.write(`${line}\n`));
const runs = new Map<Step, Measured[]>(bench.steps.map((step) => [step, []]));
try {
  for (let round = 1; round <= rounds; round += 1) {
    for (const step of bench.steps) {
      await step.before?.();
      const measured = await measure(step.command, { cwd: bench.directory, env: bench.environment });
      runs.get(step)?.push(measured);
      process.stderr.write(`round ${round}: ${step.title}, ${measured.seconds.toFixed(1)} s\n`);
    }
  }
  const median = (step: Step) => {
    const all = (runs.get(step) ?? []).map(({ seconds }) => seconds).sort((a, b) => a - b);
    return all[all.length >> 1] ?? Number.NaN;
  };
  const peak = (step: Step) => Math.max(...(runs.get(step) ?? []).map(({ peakMemory }) => peakMemory));
  const floor = median(bench.named.floor);
  const cores = availableParallelism();
  process.stdout.write(`${bench.title}; zstd level ${level}, ${cores} cores, median of ${rounds}\n\n`);
  const rows = bench.steps.map((step) => [
    step.title,
    median(step).toFixed(median(step) < 10 ? 2 : 1),
    (median(step) / floor).toFixed(2),
    `${Math.round(peak(step) / 1e6)}`,
    step.bytes === undefined ? '' : (step.bytes() / 1e6).toFixed(1),
  ]);
  process.stdout.write(`${table(['Step', '>Seconds', '>/ minimum', '>Peak MB', '>MB output'], rows)}\n\n`);

  const { cold, revised, unchanged, eight, one, copy, dpkg, rpmThreads, nfpm } = bench.named;
  const both = median(dpkg) + median(rpmThreads);
  const limits: [what: string, ratio: number, limit: string, holds: (ratio: number) => boolean][] = [
    ['cold build / minimum', median(cold) / floor, '<= 1.25', (r) => r <= 1.25],
    ['dpkg-deb + rpmbuild w19T0 / cold build', both / median(cold), '>= 1.7', (r) => r >= 1.7],
    ...(nfpm === undefined
      ? []
      : ([
          [
            `nfpm / cold build of the same size (level ${nfpm.level})`,
            median(nfpm.step) / median(nfpm.asLarge),
            '>= 1.7',
            (r) => r >= 1.7,
          ],
        ] satisfies typeof limits)),
    ['cold build / new revision', median(cold) / median(revised), '>= 30', (r) => r >= 30],
    ['new revision / copying its packages', median(revised) / median(copy), '<= 4', (r) => r <= 4],
    ['no changes, seconds', median(unchanged), '< 0.5', (r) => r < 0.5],
    ['peak memory of the cold build, MB', peak(cold) / 1e6, '< 600', (r) => r < 600],
    ['largest size / zstd of the whole archive', bench.sizeRatio(), '<= 1.005', (r) => r <= 1.005],
    ['eight distributions / one', median(eight) / median(one), '<= 1.3', (r) => r <= 1.3],
  ];
  const verdicts = limits.map(([what, ratio, limit, holds]) => [
    what,
    ratio.toFixed(3),
    limit,
    holds(ratio) ? 'ok' : 'MISSED',
  ]);
  process.stdout.write(`${table(['Ratio of medians', '>Measured', '>Limit', ''], verdicts)}\n`);
  if (values.check && verdicts.some((row) => row[3] !== 'ok')) process.exitCode = 1;
} finally {
  await bench.close();
}
