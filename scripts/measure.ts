import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface Measured {
  readonly stdout: string;
  /** Wall-clock time. */
  readonly seconds: number;
  /** Maximum resident set size of a single process, in bytes. */
  readonly peakMemory: number;
}

/** Runs a command and measures it with GNU time. */
export async function measure(
  command: readonly [string, ...string[]],
  options: { readonly env?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<Measured> {
  const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-time-'));
  const report = join(directory, 'report');
  try {
    const { stdout } = await execa('/usr/bin/time', ['-q', '-o', report, '-f', '%e %M', ...command], {
      ...options,
      stdin: 'ignore',
    });
    const [seconds = 0, kibibytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { stdout, seconds, peakMemory: kibibytes * 1024 };
  } finally {
    rmSync(directory, { recursive: true });
  }
}
