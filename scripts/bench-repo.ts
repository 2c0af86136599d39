/**
 * Measures a repository of 2,000 packages: creating it, and adding ten packages, in comparison with createrepo_c and
 * apt-ftparchive on the same files. Run: npm run --silent compile && node lib/scripts/bench-repo.js
 */

import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { table } from '../src/cli/render/table.ts';
import { debPackager } from '../src/deb/write.ts';
import type { Format } from '../src/model/format.ts';
import type { Entry, Layout } from '../src/model/layout.ts';
import { addPackages } from '../src/repo/operations/add.ts';
import { verifyRepository } from '../src/repo/verify/verify.ts';
import { rpmPackager } from '../src/rpm/write.ts';

const MINORS = 20;
const PATCHES = 10;
const NAMES = ['kubeadm', 'kubelet', 'kubectl', 'cri-tools', 'kubernetes-cni'];
const DATE = 1_760_000_000;
const ROUNDS = 3;

const directory = mkdtempSync(join(tmpdir(), 'kubeparcel-bench-'));
try {
  const packages = join(directory, 'packages');
  mkdirSync(packages);
  const all: { readonly path: string; readonly minor: string }[] = [];
  for (let minor = 19; minor < 19 + MINORS; minor++) {
    for (let patch = 0; patch < PATCHES; patch++) {
      for (const name of NAMES) {
        for (const format of ['deb', 'rpm'] as const) {
          all.push({ path: await write(layout(format, name, `1.${minor}.${patch}`), packages), minor: `1.${minor}` });
        }
      }
    }
  }
  const added = all.slice(-10);
  const initial = all.slice(0, -10);
  const rows: string[][] = [];
  const creating: number[] = [];
  const adding: number[] = [];
  const checks: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const site = join(directory, `site-${round}`);
    creating.push(await timed(() => fill(site, initial)));
    const paths = added.map(({ path }) => path);
    adding.push(await timed(() => addPackages(site, paths, { channel: 'stable', minors: ['1.38'], unsigned: true })));
    checks.push(await timed(() => verifyRepository(site, { quick: true })));
  }
  rows.push(['kubeparcel repo add, both formats, 42 indices', best(creating), best(adding)]);
  rows.push(['kubeparcel repo verify --quick', best(checks), '']);
  rows.push([
    'createrepo_c, the RPMs, one index',
    ...otherTool('rpm', ['createrepo_c', '-q', '--no-database'], ['--update']),
  ]);
  rows.push([
    'apt-ftparchive packages, the DEBs, one index, uncompressed',
    ...otherTool('deb', ['apt-ftparchive', '--db', join(directory, 'db'), 'packages'], []),
  ]);
  const header = [`${initial.length} packages, best of ${ROUNDS}`, '>Create, s', '>Add ten, s'];
  process.stdout.write(`${table(header, rows)}\n`);
} finally {
  rmSync(directory, { recursive: true });
}

async function fill(site: string, packages: readonly { readonly path: string; readonly minor: string }[]) {
  const paths = packages.map(({ path }) => path);
  await addPackages(site, paths, { channel: 'stable', unsigned: true });
}

/** Measures another tool with the packages of one format in their own directory. */
function otherTool(format: Format, command: readonly string[], again: readonly string[]): string[] {
  const [tool = '', ...words] = command;
  const [first, second]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const own = join(directory, `${format}-${round}`);
    mkdirSync(own);
    rmSync(join(directory, 'db'), { force: true });
    const files = allOf(format);
    for (const file of files.slice(0, -5)) linkSync(join(directory, 'packages', file), join(own, file));
    first.push(run(tool, [...words, own], own));
    for (const file of files.slice(-5)) linkSync(join(directory, 'packages', file), join(own, file));
    second.push(run(tool, [...words, ...again, own], own));
  }
  return [best(first), best(second)];
}

function allOf(format: Format): string[] {
  const files: string[] = [];
  for (let minor = 19; minor < 19 + MINORS; minor++) {
    for (let patch = 0; patch < PATCHES; patch++) {
      for (const name of NAMES) files.push(packagerOf(format).fileName(layout(format, name, `1.${minor}.${patch}`)));
    }
  }
  return files;
}

function run(tool: string, words: readonly string[], cwd: string): number {
  const start = performance.now();
  const { status, error } = spawnSync(tool, words, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (error !== undefined || status !== 0) return Number.NaN;
  return performance.now() - start;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function best(times: readonly number[]): string {
  const least = Math.min(...times);
  return Number.isNaN(least) ? 'not installed' : (least / 1000).toFixed(2);
}

function packagerOf(format: Format) {
  return format === 'deb' ? debPackager : rpmPackager;
}

async function write(layout: Layout, into: string): Promise<string> {
  const packager = packagerOf(layout.format);
  const open = (): never => {
    throw new Error('these packages have no stored contents');
  };
  const options = { compression: { codec: 'gzip', level: 1 }, objects: { open }, spoolDirectory: into } as const;
  const chunks: Uint8Array[] = [];
  for await (const chunk of packager.write(layout, options)) chunks.push(chunk);
  const path = join(into, packager.fileName(layout));
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

/** A package with a few files, a description, a relation and a changelog. */
function layout(format: Format, name: string, version: string): Layout {
  const base = { owner: 'root', group: 'root', mtime: DATE, role: 'plain' } as const;
  const bytes = (text: string) => ({ kind: 'memory', bytes: Buffer.from(text) }) as const;
  const entries: Entry[] = [
    { ...base, kind: 'directory', path: '/usr', mode: 0o755 },
    { ...base, kind: 'directory', path: '/usr/bin', mode: 0o755 },
    { ...base, kind: 'file', path: `/usr/bin/${name}`, mode: 0o755, content: bytes(`#!/bin/sh\necho ${version}\n`) },
  ];
  const none: Layout['relations'] = {
    preDepends: [],
    depends: [{ anyOf: [{ name: 'util-linux' }] }],
    recommends: [],
    suggests: [],
    enhances: [],
    supplements: [],
    conflicts: [],
    breaks: [],
    replaces: [],
    provides: [],
  };
  return {
    format,
    name,
    version: { epoch: 0, upstream: version, revision: '1' },
    architecture: format === 'deb' ? 'amd64' : 'x86_64',
    summary: `${name} of a benchmark`,
    description: `A package of the benchmark.\n\nThis is ${name} ${version}.`,
    license: 'Apache-2.0',
    maintainer: 'Release Team <release@example.org>',
    homepage: 'https://kubernetes.io',
    section: 'admin',
    source: name,
    date: DATE,
    relations: none,
    scripts: {},
    changelog: [
      { version: `${version}-1`, date: DATE, author: 'Release Team <release@example.org>', changes: ['new'] },
    ],
    entries: format === 'deb' ? entries : entries.slice(2),
  };
}
