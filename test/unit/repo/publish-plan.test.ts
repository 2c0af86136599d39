import { linkSync, mkdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { outputFileSync } from 'fs-extra/esm';
import { describe, expect, test } from 'vitest';
import { openTarget } from '../../../src/repo/publish/open-target.ts';
import { planPublish } from '../../../src/repo/publish/plan.ts';
import { publish } from '../../../src/repo/publish/publish.ts';
import { classify } from '../../../src/repo/storage/classify.ts';
import { listFiles } from '../../../src/repo/storage/list-files.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MARKER = 'repository.json';
const file = (path: string, content = path) => ({ path, size: content.length, digest: content });

/** Directory contents by path. */
function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    outputFileSync(join(directory, path), content);
  }
}

async function read(directory: string): Promise<Record<string, string>> {
  const files = await listFiles(directory, 'target');
  return Object.fromEntries(files.map(({ path }) => [path, readFileSync(join(directory, path), 'utf8')]));
}

describe('the order of publishing', () => {
  test.each([
    ['pool/kubelet_1.36.4-1_amd64.deb', 'packages', 'immutable'],
    ['core:/stable:/v1.36/rpm/x86_64/kubelet-1.36.4-1.x86_64.rpm', 'packages', 'immutable'],
    ['core:/stable:/v1.36/deb/Release.key', 'packages', 'max-age=60'],
    ['deb/by-hash/SHA256/abc', 'indices', 'immutable'],
    [`rpm/repodata/${'a'.repeat(64)}-primary.xml.gz`, 'indices', 'immutable'],
    ['deb/Packages.gz', 'indices', 'max-age=60'],
    ['deb/Contents-amd64.gz', 'indices', 'max-age=60'],
    ['deb/Release', 'pointers', 'max-age=60'],
    ['deb/Release.gpg', 'pointers', 'max-age=60'],
    ['deb/InRelease', 'pointers', 'max-age=60'],
    ['rpm/repodata/repomd.xml', 'pointers', 'max-age=60'],
    ['rpm/repodata/repomd.xml.asc', 'pointers', 'max-age=60'],
    ['rpm/repodata/repomd.xml.key', 'packages', 'max-age=60'],
    ['repository.json', 'pages', 'max-age=60'],
    ['index.html', 'pages', 'max-age=60'],
  ])('%s is uploaded in the phase "%s" with Cache-Control %s', (path, phase, caching) => {
    expect(classify(path).phase).toBe(phase);
    expect(classify(path).cacheControl).toContain(caching);
  });

  test('indices are uploaded before the pointers that name them, InRelease last', () => {
    const names = ['deb/InRelease', 'deb/Release', 'deb/Release.gpg', 'deb/Packages', 'deb/by-hash/SHA256/1', 'a.deb'];
    const plan = planPublish(
      names.map((name) => file(name)),
      [],
      MARKER,
    );
    const order = plan.phases.flatMap(({ uploads }) => uploads.map(({ path }) => path));
    expect(order).toEqual([
      'a.deb',
      'deb/by-hash/SHA256/1',
      'deb/Packages',
      'deb/Release.gpg',
      'deb/Release',
      'deb/InRelease',
    ]);
  });

  test('unchanged files are skipped, obsolete files are deleted, foreign files are kept', () => {
    const local = [file('pool/a.deb'), file('deb/InRelease', 'new'), file(MARKER)];
    const remote = [
      file('pool/a.deb'),
      file('pool/old.deb'),
      file('deb/InRelease', 'old'),
      file(MARKER),
      file('their.iso'),
      file('theirs/file'),
    ];
    const plan = planPublish(local, remote, MARKER);
    expect(plan.phases.flatMap(({ uploads }) => uploads.map(({ path }) => path))).toEqual(['deb/InRelease']);
    expect(plan.unchanged).toBe(2);
    expect(plan.deletions).toEqual(['pool/old.deb']);
    expect(
      planPublish(
        local,
        remote.filter(({ path }) => path !== MARKER),
        MARKER,
      ).deletions,
    ).toEqual([]);
  });

  test('after any plan the target has all files of the repository', () => {
    const path: fc.Arbitrary<string> = fc.constantFrom(
      'pool/a.deb',
      'pool/b.rpm',
      'deb/Packages',
      'deb/InRelease',
      MARKER,
      'x/y',
      'z',
    );
    const files = fc.uniqueArray(fc.record({ path, size: fc.nat(2), digest: fc.constantFrom('1', '2') }), {
      selector: (each) => each.path,
    });
    fc.assert(
      fc.property(files, files, (local, remote) => {
        const plan = planPublish(local, remote, MARKER);
        const result = new Map(remote.map((each) => [each.path, `${each.size} ${each.digest}`]));
        const source = new Map(local.map((each) => [each.path, `${each.size} ${each.digest}`]));
        for (const { path: sent } of plan.phases.flatMap(({ uploads }) => uploads))
          result.set(sent, source.get(sent) ?? '');
        for (const gone of plan.deletions) result.delete(gone);
        for (const [each, content] of source) expect(result.get(each)).toBe(content);
      }),
    );
  });
});

describe('publishing to a directory', () => {
  test('hard links and symbolic links are preserved', async () => {
    const temp = temporaryDirectory();
    const [directory, out] = [join(temp, 'repo'), join(temp, 'out')];
    write(directory, { 'pool/a.deb': 'a', 'deb/Packages': 'p', 'deb/by-hash/x': '', [MARKER]: '{}' });
    linkSync(join(directory, 'pool/a.deb'), join(directory, 'deb/a.deb'));
    linkSync(join(directory, 'deb/Packages'), join(directory, 'deb/by-hash/y'));
    mkdirSync(join(directory, 'rpm/.repodata-1'), { recursive: true });
    writeFileSync(join(directory, 'rpm/.repodata-1/repomd.xml'), 'r');
    symlinkSync('.repodata-1', join(directory, 'rpm/repodata'));
    await publish({ directory, marker: MARKER, target: await openTarget(out), dryRun: false, keep: false });
    const inode = (path: string) => statSync(join(out, path)).ino;
    expect(inode('deb/a.deb')).toBe(inode('pool/a.deb'));
    expect(inode('deb/by-hash/y')).toBe(inode('deb/Packages'));
    expect(readlinkSync(join(out, 'rpm/repodata'))).toBe('.repodata-1');
    expect(readFileSync(join(out, 'rpm/repodata/repomd.xml'), 'utf8')).toBe('r');
  });

  test('makes the target equal to the repository, also the second time; a dry run changes nothing', async () => {
    const temp = temporaryDirectory();
    const [directory, out] = [join(temp, 'repo'), join(temp, 'out')];
    write(directory, {
      'pool/a.deb': 'a',
      'deb/InRelease': '1',
      [MARKER]: '{}',
      '.kubeparcel/state': 'own',
      'index.html': '',
    });
    const target = await openTarget(out);
    const run = (dryRun = false) => publish({ directory, marker: MARKER, target, dryRun, keep: false });
    expect((await run(true)).phases.flatMap(({ uploads }) => uploads)).toHaveLength(4);
    await expect(read(out)).rejects.toThrow();
    await run();
    expect(await read(out)).toEqual({ 'pool/a.deb': 'a', 'deb/InRelease': '1', [MARKER]: '{}', 'index.html': '' });
    write(directory, { 'deb/InRelease': '2' });
    write(out, { 'pool/old/b.deb': 'b', 'deb/.InRelease.0.tmp': 'half' });
    const second = await run();
    expect(second.deletions).toEqual(['deb/.InRelease.0.tmp', 'pool/old/b.deb']);
    expect(await read(out)).toEqual({ 'pool/a.deb': 'a', 'deb/InRelease': '2', [MARKER]: '{}', 'index.html': '' });
    expect((await run()).unchanged).toBe(4);
  });

  test('refuses a source that is not a repository, a target inside it, and symbolic links to files', async () => {
    const temp = temporaryDirectory();
    const run = async (directory: string, out: string) =>
      publish({ directory, marker: MARKER, target: await openTarget(out), dryRun: false, keep: false });
    await expect(run(temp, join(temp, 'out'))).rejects.toThrow('not a repository');
    write(temp, { [MARKER]: '{}' });
    await expect(run(temp, join(temp, 'out'))).rejects.toThrow('the target is inside the repository');
    symlinkSync('/etc/passwd', join(temp, 'passwd'));
    await expect(run(temp, `${temp}-out`)).rejects.toThrow('neither a regular file nor a directory');
  });

  test.each(['ftp://host/x', 's3://', 's3://B', 's3://bucket/../x', 's3://bucket//x', '-e:x'])(
    '%s is refused as a target',
    async (text) => {
      await expect(openTarget(text)).rejects.toMatchObject({ kind: 'usage' });
    },
  );
});
