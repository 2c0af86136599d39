import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { unpack } from '../../src/repo/formats/index-compression.ts';
import { addPackages } from '../../src/repo/operations/add.ts';
import { indexRepository } from '../../src/repo/operations/reindex.ts';
import { directoryOfFile } from '../support/cli.ts';
import { everyRpmLayout } from '../support/every-layout.ts';
import { writeReleases, writeSmall } from '../support/repo-packages.ts';
import { fullLayout } from '../support/rpm-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const directory = directoryOfFile();
const built = join(directory, 'built');
const repository = join(directory, 'site');

beforeAll(async () => {
  const paths = await writeReleases(built, ['1.36.4', '1.37.0'], ['kubelet'], ['amd64', 'arm64', 'all']);
  paths.push(await writeSmall(everyRpmLayout(), built));
  paths.push(await writeSmall(fullLayout(), built));
  await addPackages(repository, paths, { channel: 'stable', minors: ['1.37'] });
});

const TYPES = ['primary', 'filelists', 'other'] as const;

/** The text of a document of a repository. */
async function document(at: string, type: (typeof TYPES)[number]): Promise<string> {
  const names = readdirSync(join(at, 'repodata'));
  const name = names.find((each) => each.endsWith(`-${type}.xml.gz`) || each.endsWith(`-${type}.xml.zst`)) ?? '';
  return Buffer.from(await unpack(readFileSync(join(at, 'repodata', name)), name)).toString('utf8');
}

/** `<package>` elements by their digest. */
function packages(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [element] of text.matchAll(/<package [\s\S]*?<\/package>/g)) {
    found.set(/pkgid="YES">(\w+)|pkgid="(\w+)"/.exec(element)?.slice(1).join('') ?? '', element);
  }
  return found;
}

/** What both say the same way, line by line, with the differences that are meant. */
function comparable(element: string): string[] {
  return element
    .replace(/<time file="\d+"/, '<time file=""') // the time of the file there; the package's own here
    .replace(/<location href="(?:[^"]*\/)?/, '<location href="') // a directory for each architecture here
    .replace(/&#x([0-9A-F]+);/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))) // as attributes have
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

describe.skipIf(!hasTool('createrepo_c'))('createrepo_c', () => {
  test.each(TYPES)('writes the same content as our %s', async (type) => {
    const rpms = join(temporaryDirectory(), 'rpms');
    mkdirSync(rpms);
    for (const name of readdirSync(built).filter((each) => each.endsWith('.rpm'))) {
      copyFileSync(join(built, name), join(rpms, name));
    }
    execFileSync('createrepo_c', ['--quiet', '--no-database', '.'], { cwd: rpms });
    const theirs = packages(await document(rpms, type));
    const text = await document(join(repository, 'rpm/stable'), type);
    const ours = packages(text);
    expect(ours.size).toBe(8);
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [id, element] of ours) expect(comparable(element)).toEqual(comparable(theirs.get(id) ?? ''));
    const root = (xml: string) => xml.slice(0, xml.indexOf('<package ')).replace(/\s+/g, ' ');
    expect(root(text)).toBe(root(await document(rpms, type)));
  });
});

describe.skipIf(!hasTool('python3'))('an XML parser', () => {
  test.each(TYPES)('accepts %s as well-formed', async (type) => {
    const input = await document(join(repository, 'rpm/stable'), type);
    const script = 'import sys, xml.dom.minidom; xml.dom.minidom.parse(sys.stdin.buffer)';
    expect(() => execFileSync('python3', ['-c', script], { input, stdio: 'pipe' })).not.toThrow();
  });
});

describe.skipIf(!hasTool('mergerepo_c'))('mergerepo_c', () => {
  test('reads the repository', async () => {
    const merged = temporaryDirectory();
    const site = join(repository, 'rpm/stable');
    execFileSync('mergerepo_c', ['--repo', `file://${site}`, '--all', '-o', merged], { stdio: 'pipe' });
    const [read, ours] = [packages(await document(merged, 'primary')), packages(await document(site, 'primary'))];
    expect([...read.keys()].sort()).toEqual([...ours.keys()].sort());
  });
});

describe.skipIf(!hasTool('zstd'))('zstd', () => {
  test('decompresses to the same documents', async () => {
    const site = join(repository, 'rpm/stable');
    const before = await document(site, 'primary');
    await indexRepository(repository, { settings: { rpmCompression: 'zst' } });
    const [name = ''] = readdirSync(join(site, 'repodata')).filter((each) => each.endsWith('-primary.xml.zst'));
    expect(execFileSync('zstd', ['-dc', join(site, 'repodata', name)], { encoding: 'utf8' })).toBe(before);
    await indexRepository(repository, { settings: { rpmCompression: 'gz' } });
  });
});
