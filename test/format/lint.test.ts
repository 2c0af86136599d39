import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Format } from '../../src/model/format.ts';
import type { PackageJob } from '../../src/pipeline/run.ts';
import { buildSample, composeSample, type SampleOptions, writeSample } from '../support/build-sample.ts';
import { explanations, type Finding, lintian, rpmlint, stale, unexplained } from '../support/linters.ts';
import { hasTool } from '../support/tools.ts';

const RELEASES: SampleOptions[] = [
  { version: '1.36.4' },
  // Its drop-in is a conffile in /etc, and its kubelet has many dependencies.
  { version: '1.20.2' },
  { version: '1.36.4', distributions: ['debian-12', 'el-9'] },
];

const LINTERS = { deb: 'lintian', rpm: 'rpmlint' } as const;

describe.each(['deb', 'rpm'] as const)('%s packages', (format) => {
  const linter = LINTERS[format];
  const explained = explanations()[linter];

  describe.skipIf(!hasTool(linter))(`by ${linter}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-lint-'));
    let findings: Finding[];

    beforeAll(async () => {
      const distribution = { deb: 'debian-12', rpm: 'el-9' }[format];
      const built = [];
      for (const { version, distributions } of RELEASES) {
        const chosen = distributions === undefined ? {} : { distributions: [distribution] };
        built.push(...(await buildSample(directory, { version: version ?? '', formats: [format], ...chosen })));
      }
      expect(built).toHaveLength(15);
      findings = await lint(
        format,
        built.map(({ path }) => path),
        directory,
      );
    });

    afterAll(() => rmSync(directory, { recursive: true }));

    test('have no error and no warning that packaging/lint.yaml does not explain', () => {
      expect(unexplained(findings, explained)).toEqual([]);
    });

    test('have every finding that packaging/lint.yaml explains', () => {
      expect(stale(findings, explained)).toEqual([]);
    });

    test('fail with a file in /usr/local and a world-writable program', async () => {
      const { jobs, objects } = await composeSample(directory, { version: '1.36.4', formats: [format] });
      const broken = jobs.filter(({ task }) => task.package === 'kubectl').map(breakJob);
      const [written] = await writeSample({ jobs: broken, objects }, join(directory, 'broken'));
      const lines = unexplained(await lint(format, [written?.path ?? ''], directory), explained).join('\n');
      expect(lines).toMatch(/file-in-usr-local.*usr\/local\/kubectl/);
      expect(lines).toMatch(/non-standard-executable-perm.*0?777/);
    });
  });
});

function lint(format: Format, paths: readonly string[], directory: string): Promise<Finding[]> {
  return format === 'deb' ? lintian(paths) : rpmlint(paths, directory);
}

function breakJob({ task, layout }: PackageJob): PackageJob {
  const entries = layout.entries.map((entry) =>
    entry.path === '/usr/bin/kubectl' ? { ...entry, mode: 0o777 } : entry,
  );
  const [program] = entries.filter(({ path }) => path === '/usr/bin/kubectl');
  if (program?.kind !== 'file') throw new Error('kubectl has no program');
  const local = { ...program, kind: 'directory', mode: 0o755, role: 'plain' } as const;
  const directories = layout.format === 'deb' ? [{ ...local, path: '/usr/local' }] : [];
  const all = [...entries, ...directories, { ...program, path: '/usr/local/kubectl' }];
  return { task, layout: { ...layout, entries: all.sort((a, b) => (a.path < b.path ? -1 : 1)) } };
}
