import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import pLimit from 'p-limit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diffLayouts } from '../../src/layout/diff.ts';
import { ARCHITECTURES } from '../../src/model/architecture.ts';
import type { Codec } from '../../src/model/compression.ts';
import type { ObjectReader } from '../../src/model/content.ts';
import type { Format } from '../../src/model/format.ts';
import type { Layout } from '../../src/model/layout.ts';
import { writeBinaryLayout } from '../../src/pipeline/binary-layout.ts';
import { PACKAGERS } from '../../src/pipeline/formats.ts';
import { readPackage } from '../../src/pipeline/read-package.ts';
import { writeAtomically } from '../../src/support/write-atomically.ts';
import { type ComposedSample, composeSample } from '../support/build-sample.ts';
import { everyDebLayout, everyRpmLayout } from '../support/every-layout.ts';
import { objectsOf } from '../support/rpm.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const TOOLS = { deb: 'dpkg-deb', rpm: 'rpmbuild' } as const;

/** Settings that a distribution or packager may have for rpmbuild. */
const RPM_MACROS = `%_changelog_trimage 10000000
%_changelog_trimtime 1
%source_date_epoch_from_changelog 1
%clamp_mtime_to_source_date_epoch 1
%__os_install_post /bin/false
`;

/** Builds a package from the written layout with the command that accompanies it. Returns its path. */
async function byOwnTool(layout: Layout, objects: ObjectReader, out: string): Promise<string> {
  const file = PACKAGERS[layout.format].fileName(layout);
  const { directory, command } = await writeBinaryLayout(layout, { file, out, objects });
  writeFileSync(join(out, '.rpmmacros'), RPM_MACROS);
  const [program = '', ...args] = command;
  const env = { PATH: process.env.PATH ?? '', HOME: out, LC_ALL: 'C.UTF-8', TZ: 'Asia/Tokyo' };
  await execa(program, args, { env, extendEnv: false, stdin: 'ignore' });
  return layout.format === 'deb' ? `${directory}.deb` : join(directory, 'RPMS', layout.architecture, file);
}

async function byKubeparcel(layout: Layout, objects: ObjectReader, out: string): Promise<string> {
  const packager = PACKAGERS[layout.format];
  mkdirSync(out, { recursive: true });
  const compression = { codec: 'none', level: 0 } satisfies { codec: Codec; level: number };
  const path = join(out, packager.fileName(layout));
  await writeAtomically(path, packager.write(layout, { compression, objects, spoolDirectory: out }));
  return path;
}

/** Differences of two packages, one per line. */
async function differences(layout: Layout, objects: ObjectReader, out: string): Promise<string[]> {
  const [native, built] = [
    await readPackage(await byKubeparcel(layout, objects, join(out, 'native'))),
    await readPackage(await byOwnTool(layout, objects, join(out, 'built'))),
  ];
  return diffLayouts(native.layout, built.layout).map(({ what, left, right }) => `${what}: ${left} / ${right}`);
}

describe.each(['deb', 'rpm'] as const)('%s packages', (format: Format) => {
  describe.skipIf(!hasTool(TOOLS[format]))(`made by ${TOOLS[format]} of a written layout`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-assemble-'));
    let sample: ComposedSample;

    beforeAll(async () => {
      sample = await composeSample(directory, { version: '1.24.17', formats: [format], architectures: ARCHITECTURES });
    });
    afterAll(() => rmSync(directory, { recursive: true }));

    test.each(ARCHITECTURES)('equal native ones for %s', async (architecture) => {
      const limit = pLimit(2);
      const { objects } = sample;
      const jobs = sample.jobs.filter(({ task }) => task.architecture === architecture);
      expect(jobs).toHaveLength(5);
      const found = await Promise.all(
        jobs.map(({ layout }) => limit(async () => [layout.name, await differences(layout, objects, directory)])),
      );
      expect(Object.fromEntries(found)).toEqual(Object.fromEntries(jobs.map(({ layout }) => [layout.name, []])));
    });

    test('equal native ones for a layout with every feature of the format', async () => {
      const out = join(temporaryDirectory(), 'lay outs é');
      const layout = format === 'deb' ? everyDebLayout() : everyRpmLayout();
      expect(await differences(layout, objectsOf(), out)).toEqual([]);
    });
  });
});

test.each([...'"%*?[{\\'])(
  'a name with %s, which a spec file cannot hold, is refused before anything is written',
  async (sign) => {
    const out = temporaryDirectory();
    const layout = everyRpmLayout();
    const [entry] = layout.entries;
    if (entry === undefined) throw new Error('nothing in it');
    const named: Layout = { ...layout, entries: [{ ...entry, path: `/a${sign}b` }] };
    await expect(writeBinaryLayout(named, { file: 'every.rpm', out, objects: objectsOf() })).rejects.toThrow(
      expect.objectContaining({ kind: 'format', where: JSON.stringify(`/a${sign}b`) }),
    );
    expect(readdirSync(out)).toEqual([]);
  },
);

test.each(['%files', '%if 0', '  %include /etc/passwd'])('a script with the line %j is refused', async (line) => {
  const out = temporaryDirectory();
  const post = { interpreter: '/bin/sh', body: `true\n${line}\ntrue` };
  const layout: Layout = { ...everyRpmLayout(), scripts: { post } };
  await expect(writeBinaryLayout(layout, { file: 'every.rpm', out, objects: objectsOf() })).rejects.toThrow(
    expect.objectContaining({ kind: 'format', message: expect.stringContaining('post'), where: JSON.stringify(line) }),
  );
  expect(readdirSync(out)).toEqual([]);
});
