import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeAtomically } from '../../support/write-atomically.ts';
import type { ScenarioResult } from '../model/events.ts';

const schema = z.record(z.string(), z.number().positive());

/** $XDG_CACHE_HOME or ~/.cache, kubeparcel/scenario-times.json: milliseconds by `HOST SCENARIO`. */
export function durationsFile(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = environment.XDG_CACHE_HOME;
  return join(cache?.startsWith('/') ? cache : join(homedir(), '.cache'), 'kubeparcel', 'scenario-times.json');
}

/** Durations of the last successful runs. */
export async function readDurations(file: string): Promise<Map<string, number>> {
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(await readFile(file, 'utf8')))));
  } catch {
    return new Map();
  }
}

/** Records the durations of successful scenarios. */
export async function rememberDurations(file: string, results: readonly ScenarioResult[]): Promise<void> {
  const known = await readDurations(file);
  for (const { host, scenario, outcome, milliseconds } of results) {
    if (outcome === 'passed') known.set(`${host} ${scenario}`, milliseconds);
  }
  const sorted = Object.fromEntries([...known].sort(([a], [b]) => (a < b ? -1 : 1)));
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeAtomically(file, [Buffer.from(`${JSON.stringify(sorted, undefined, 1)}\n`)]);
  } catch {
    // Not an error: durations only affect the order of the next run.
  }
}
