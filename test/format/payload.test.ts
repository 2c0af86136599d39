import { createReadStream, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../src/payload/elf.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { writeBundle } from '../../src/payload/sources/bundle.ts';
import { openSource } from '../../src/payload/sources/open-source.ts';
import { openStore } from '../../src/payload/store/content-store.ts';
import { fileAccess } from '../../src/payload/store/random-access.ts';
import { unpackArchive } from '../../src/payload/unpack.ts';
import { resolveRelease } from '../../src/release/resolve.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { makeElf } from '../support/binaries.ts';
import { openedSource, PACKAGING, RELEASE, servedRelease } from '../support/release-fixture.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

describe.skipIf(!hasTool('readelf'))('compared with readelf', () => {
  // On Debian these are linked against one library, against several, and with many symbol versions.
  test.each(['bash', 'readelf', 'tar'])('%s needs the same libraries and symbol versions', async (name) => {
    const path = realpathSync((await execa('sh', ['-c', `command -v ${name}`])).stdout);
    const file = await open(path);
    const { libraries } = await readElf(fileAccess(file, (await file.stat()).size), path);
    await file.close();
    const { stdout } = await execa('readelf', ['--dynamic', '--version-info', '--wide', path], {
      env: { LC_ALL: 'C' },
    });
    const needed = [...stdout.matchAll(/\(NEEDED\)\s+Shared library: \[(.+)\]/g)].map(([, soname]) => soname);
    const section = stdout.slice(stdout.indexOf("Version needs section '.gnu.version_r'"));
    const versions = [...section.matchAll(/Name: (\S+)\s+Flags:/g)].map(([, version]) => version);
    expect(needed.length).toBeGreaterThan(0);
    expect(libraries.map(({ soname }) => soname)).toEqual([...needed].sort());
    expect(libraries.flatMap(({ symbolVersions }) => symbolVersions).sort()).toEqual([...versions].sort());
  });
});

describe.skipIf(!hasTool('tar'))('compared with GNU tar', () => {
  test.each(['gnu', 'ustar', 'pax', 'v7'])('an archive in its %s format is unpacked', async (format) => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'in'));
    writeFileSync(join(directory, 'in', 'bridge'), makeElf('amd64', { tail: Buffer.alloc(100_000) }), { mode: 0o755 });
    writeFileSync(join(directory, 'in', 'LICENSE'), 'text', { mode: 0o644 });
    const archive = join(directory, 'x.tgz');
    await execa('tar', [
      '--create',
      '--gzip',
      `--format=${format}`,
      '--file',
      archive,
      '-C',
      join(directory, 'in'),
      '.',
    ]);
    const store = await openStore(join(directory, 'store'));
    const members = await unpackArchive(createReadStream(archive), store, archive);
    expect(members.map(({ name, executable, staged: { size } }) => ({ name, executable, size }))).toEqual([
      { name: 'LICENSE', executable: false, size: 4 },
      { name: 'bridge', executable: true, size: makeElf('amd64').length + 100_000 },
    ]);
    for (const { staged } of members) await staged.discard();
  });

  test('tar extracts a bundle', async () => {
    const server = await servedRelease();
    const source = await openedSource(server.url);
    const request = { kind: 'stable' } as const;
    const release = await resolveRelease(request, { source, pins: RELEASE, architectures: ['amd64'] });
    const directory = temporaryDirectory();
    const store = await openStore(join(directory, 'store'));
    const { lock } = await fetchPayload({ release, source, store });
    const bundle = join(directory, 'bundle');
    await writeBundle(bundle, lock, store);
    await execa('tar', ['--extract', '--file', bundle, '-C', directory]);
    for (const { sha256, size } of lock.artifacts) {
      const bytes = readFileSync(join(directory, 'sha256', sha256));
      expect(bytes.length).toBe(size);
      expect((await execa('sha256sum', [join(directory, 'sha256', sha256)])).stdout).toMatch(sha256);
    }
    const { stdout } = await execa('tar', ['--list', '--file', bundle]);
    expect(stdout.split('\n')[0]).toBe('kubeparcel.lock');
  });
});

test.skipIf(!hasTool('sha256sum'))(
  'the command in the hint for a directory without digests creates SHA256SUMS',
  async () => {
    const directory = join(temporaryDirectory(), "it's a directory");
    mkdirSync(join(directory, 'amd64', 'cni'), { recursive: true });
    for (const name of ['kubeadm', 'kubelet', 'kubectl', 'crictl', 'cni/bridge']) {
      writeFileSync(join(directory, 'amd64', name), makeElf('amd64', { tail: name }));
    }
    const refused: unknown = await openSource(directory, { packaging: PACKAGING }).catch((error: unknown) => error);
    const hint = refused instanceof KubeparcelError ? (refused.hint ?? '') : '';
    await execa('sh', ['-c', hint.slice(hint.indexOf('('))]);
    const source = await openedSource(directory);
    const request = { kind: 'exact', version: '1.36.4' } as const;
    const release = await resolveRelease(request, { source, pins: RELEASE, architectures: ['amd64'] });
    const store = await openStore(temporaryDirectory());
    expect((await fetchPayload({ release, source, store })).payload.components).toHaveLength(5);
    rmSync(directory, { recursive: true });
  },
);
