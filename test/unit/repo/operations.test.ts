import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkPackages, refuseFaults } from '../../../src/repo/closure/check-repository.ts';
import { poolPath, type RepositoryPackage } from '../../../src/repo/model/repository.ts';
import { addPackages } from '../../../src/repo/operations/add.ts';
import { promotePackages } from '../../../src/repo/operations/promote.ts';
import { indexRepository } from '../../../src/repo/operations/reindex.ts';
import { prunePackages, removePackages } from '../../../src/repo/operations/remove.ts';
import { openTarget } from '../../../src/repo/publish/open-target.ts';
import { publishRepository } from '../../../src/repo/publish/publish.ts';
import { commit, hasJournal } from '../../../src/repo/transaction/journal.ts';
import { openState } from '../../../src/repo/transaction/state.ts';
import type { VerifyReport } from '../../../src/repo/verify/finding.ts';
import { verifyRepository } from '../../../src/repo/verify/verify.ts';
import { openSigners } from '../../../src/sign/open-keys.ts';
import type { Signer } from '../../../src/sign/signer.ts';
import { directoryOfFile } from '../../support/cli.ts';
import { smallLayout, writeReleases, writeSmall } from '../../support/repo-packages.ts';
import { makeKey } from '../../support/signing.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const directory = directoryOfFile();
const environment = { SOURCE_DATE_EPOCH: '1760000000' };
let built: string[];
let signers: Signer[];

beforeAll(async () => {
  built = await writeReleases(join(directory, 'built'), ['1.36.4', '1.36.5', '1.37.0'], ['kubelet']);
  signers = await openSigners([(await makeKey(directory, 'packages')).secret]);
});

async function createRepository(files: readonly string[] = built): Promise<string> {
  const site = join(temporaryDirectory(), 'site');
  await addPackages(site, files, { channel: 'stable', signers, environment });
  return site;
}

/** Content of every file in hex. */
function everything(site: string): Record<string, string> {
  const entries = readdirSync(site, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(files.sort().map((file) => [file.slice(site.length), readFileSync(file).toString('hex')]));
}

const faults = ({ findings }: VerifyReport) => findings.map(({ kind, path, what }) => `${kind} ${path}: ${what}`);

describe('changing a repository', () => {
  test('the same packages give the same bytes, added together or one by one', async () => {
    const [together, oneByOne] = [await createRepository(), await createRepository(built.slice(0, 2))];
    for (const file of built.slice(2)) {
      await addPackages(oneByOne, [file], { channel: 'stable', signers, environment });
    }
    expect(faults(await verifyRepository(oneByOne))).toEqual([]);
    const current = (site: string) =>
      Object.entries(everything(site)).filter(([path]) => !/\/\.kubeparcel|by-hash|\.repodata-/.test(path));
    expect(current(oneByOne)).toEqual(current(together));
    expect(everything(await createRepository())).toEqual(everything(together));
  });

  test('every package is stored once; views have hard links', async () => {
    const site = await createRepository();
    for (const each of (await openState(site)).packages) {
      const links = each.format === 'deb' ? 2 : 3;
      expect(statSync(join(site, poolPath(each))).nlink, each.file).toBe(links);
    }
  });

  test('a dry run needs no key for a signed repository and changes nothing', async () => {
    const site = await createRepository();
    const before = everything(site);
    expect((await removePackages(site, ['kubelet'], { dryRun: true })).taken.length).toBeGreaterThan(0);
    await prunePackages(site, { channel: 'stable', patches: 1, minors: 1 }, { dryRun: true });
    expect(everything(site)).toEqual(before);
    await expect(removePackages(site, ['kubelet'], {})).rejects.toMatchObject({ kind: 'usage' });
  });

  test('a package that is missing in the pool is replaced by removing and adding it, as publish says', async () => {
    const site = await createRepository(built.slice(0, 1));
    const [each] = (await openState(site)).packages;
    rmSync(join(site, poolPath(each as RepositoryPackage)));
    const target = { dryRun: false, keep: false, quick: true, unchecked: true, distributions: undefined };
    const { signal } = new AbortController();
    const publishing = publishRepository(site, await openTarget(join(site, '..', 'target')), { ...target, signal });
    await expect(publishing).rejects.toMatchObject({ hint: expect.stringContaining('remove and add') });
    await removePackages(site, ['kubelet'], { signers });
    await addPackages(site, built.slice(0, 1), { channel: 'stable', signers });
    expect(faults(await verifyRepository(site))).toEqual([]);
  });

  test('only changed views are written; indices of three earlier states are kept', async () => {
    const site = await createRepository(built.slice(0, 2));
    const lists = () => readdirSync(join(site, 'core:/stable:/v1.36/deb/by-hash/SHA256')).length;
    const first = lists();
    const next = await addPackages(site, built.slice(4), { channel: 'stable', signers });
    expect(next.written.map(({ minor }) => minor)).toEqual(['1.37', '1.37', undefined, undefined]);
    expect(next.unchanged).toBe(2);
    for (let round = 0; round < 5; round++) {
      await addPackages(site, built.slice(2, 4), { channel: 'stable', signers });
      await removePackages(site, ['kubelet=1.36.5'], { signers });
    }
    expect(lists()).toBeLessThanOrEqual(first * 4);
    expect(faults(await verifyRepository(site))).toEqual([]);
  });

  test('a missing key, a different package of the same name and a damaged package are refused', async () => {
    const site = await createRepository();
    const before = everything(site);
    await expect(addPackages(site, built, { channel: 'testing' })).rejects.toThrow(/no key for the new indices/);
    const layout = { ...smallLayout({ format: 'deb', name: 'kubelet', version: '1.36.4' }), summary: 'Another' };
    const other = await writeSmall(layout, join(temporaryDirectory(), 'other'));
    await expect(addPackages(site, [other], { channel: 'stable', signers })).rejects.toThrow(
      /a different package of this name/,
    );
    const damaged = join(temporaryDirectory(), 'damaged.deb');
    writeFileSync(damaged, readFileSync(built[0] ?? '').subarray(0, 700));
    await expect(addPackages(site, [damaged], { channel: 'stable', signers })).rejects.toThrow(
      /cut short|truncated|damaged/,
    );
    const now = everything(site);
    for (const path of Object.keys(now)) if (path.includes('/cache/')) delete now[path];
    for (const path of Object.keys(before)) if (path.includes('/cache/')) delete before[path];
    expect(now).toEqual(before);
  });

  test('promotion links the same file; a changed package stops the whole promotion', async () => {
    const site = join(temporaryDirectory(), 'site');
    await addPackages(site, built, { channel: 'testing', signers });
    await promotePackages(site, ['v1.36'], { from: 'testing', to: 'stable', signers });
    const [deb] = (await openState(site)).packages.filter(({ format }) => format === 'deb');
    const inode = (path: string) => statSync(join(site, path)).ino;
    expect(inode(`core:/stable:/v1.36/deb/amd64/${deb?.file}`)).toBe(inode(`pool/k/kubelet/${deb?.file}`));
    expect(existsSync(join(site, 'core:/stable:/v1.37'))).toBe(false);
    writeFileSync(join(site, 'pool/k/kubelet/kubelet_1.37.0-1_amd64.deb'), 'changed');
    await expect(promotePackages(site, [], { from: 'testing', to: 'stable', signers })).rejects.toThrow(
      /nothing was promoted/,
    );
    expect(existsSync(join(site, 'core:/stable:/v1.37'))).toBe(false);
  });

  test('the closure check stops a promotion before anything is written', async () => {
    const site = join(temporaryDirectory(), 'site');
    await addPackages(site, built, { channel: 'testing', signers });
    const gate = async (packages: readonly RepositoryPackage[]) =>
      refuseFaults(await checkPackages(site, packages, { channel: 'stable' }), site);
    // The minor has only kubelet.
    const promotion = promotePackages(site, ['v1.36'], { from: 'testing', to: 'stable', signers, gate });
    await expect(promotion).rejects.toMatchObject({ kind: 'verification', where: expect.stringContaining('1.36') });
    expect(existsSync(join(site, 'core:/stable:'))).toBe(false);
    expect(existsSync(join(site, 'core:/testing:/v1.36'))).toBe(true);
  });

  test('removing the last package of a minor removes its directory', async () => {
    const site = await createRepository();
    const taken = await prunePackages(site, { channel: 'stable', patches: 1, minors: 1 }, { signers });
    expect(taken.taken).toHaveLength(4);
    expect(readdirSync(join(site, 'core:/stable:'))).toEqual(['v1.37']);
    expect(readdirSync(join(site, 'pool/k/kubelet'))).toHaveLength(2);
    await removePackages(site, ['kubelet'], { signers });
    expect(readdirSync(site).sort()).toEqual(['.kubeparcel', 'index.json']);
    expect(faults(await verifyRepository(site))).toEqual([]);
  });

  test('concurrent writers wait for each other', async () => {
    const site = await createRepository(built.slice(0, 1));
    await Promise.all(built.map((file) => addPackages(site, [file], { channel: 'stable', minors: ['1.36'], signers })));
    expect((await openState(site)).packages).toHaveLength(6);
    expect(faults(await verifyRepository(site))).toEqual([]);
  });

  test('indices can be signed again with two keys and Valid-Until', async () => {
    const site = await createRepository();
    const second = await openSigners([(await makeKey(temporaryDirectory(), 'second')).secret]);
    await indexRepository(site, { signers: [...signers, ...second], settings: { validDays: 7 }, all: true });
    expect((await verifyRepository(site)).keys).toHaveLength(2);
    expect(readFileSync(join(site, 'dists/stable/InRelease'), 'utf8')).toMatch(/^Valid-Until: .* UTC$/m);
  });
});

describe('after a killed run', () => {
  test('the next run completes the committed change, even if all steps were done', async () => {
    const site = await createRepository();
    const work = '.kubeparcel/work.killed';
    mkdirSync(join(site, work));
    writeFileSync(join(site, work, '0'), 'new');
    const steps = [
      { do: 'link', from: `${work}/0`, to: 'extra/by-hash' },
      { do: 'replace', from: 'extra/by-hash', to: 'extra/fixed' },
      { do: 'rename', from: `${work}/0`, to: 'extra/pointer' },
      { do: 'point', at: 'by-hash', to: 'extra/link' },
      { do: 'remove', path: 'extra/fixed' },
    ] as const;
    await commit(site, { work, steps });
    // The journal of a run that was killed after its last step.
    writeFileSync(join(site, '.kubeparcel/journal.json'), JSON.stringify({ work, steps }));
    expect(await hasJournal(site)).toBe(true);
    await verifyRepository(site);
    expect(await hasJournal(site)).toBe(false);
    expect(readdirSync(join(site, 'extra')).sort()).toEqual(['by-hash', 'link', 'pointer']);
    expect(readFileSync(join(site, 'extra/link'), 'utf8')).toBe('new');
  });

  test('a journal with a path outside the repository is refused', async () => {
    const site = await createRepository();
    const steps = [{ do: 'remove', path: '../elsewhere' }];
    writeFileSync(join(site, '.kubeparcel/journal.json'), JSON.stringify({ work: 'x', steps }));
    await expect(verifyRepository(site)).rejects.toThrow(/damaged/);
  });
});
