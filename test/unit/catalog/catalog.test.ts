import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copy } from 'fs-extra/esm';
import { beforeEach, describe, expect, test } from 'vitest';
import { catalogText, loadCatalog } from '../../../src/catalog/catalog.ts';
import { readCatalog } from '../../../src/catalog/read-catalog.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { packageRoot } from '../../../src/support/package-root.ts';
import { readParsed } from '../../../src/support/parsed-yaml.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let directory: string;

beforeEach(async () => {
  directory = temporaryDirectory();
  for (const name of ['packages', 'distributions', 'versions.yaml', 'former-files.yaml']) {
    await copy(join(packageRoot(), 'packaging', name), join(directory, name));
  }
});

/** Replaces text in a data file (' stands for "). Returns the line number of the text. */
async function edit(file: string, single: string, replacement: string): Promise<number> {
  const [before, after] = [single, replacement].map((each) => each.replaceAll("'", '"')) as [string, string];
  const path = join(directory, file);
  const text = await readFile(path, 'utf8');
  const at = text.indexOf(before);
  expect(at, `${file} contains ${before}`).not.toBe(-1);
  await writeFile(
    path,
    text.replace(before, () => after),
  );
  return text.slice(0, at).split('\n').length;
}

async function loadError(): Promise<KubeparcelError> {
  const error = await loadCatalog(directory).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(KubeparcelError);
  return error as KubeparcelError;
}

test('loads the data of kubeparcel', async () => {
  const catalog = await loadCatalog();
  expect(catalog.packages.map(({ name }) => name)).toEqual([
    'cri-tools',
    'kubeadm',
    'kubectl',
    'kubelet',
    'kubernetes-cni',
  ]);
  expect(catalog.minors.at(0)?.minor).toBe('1.11');
  expect(catalog.minors.at(-1)?.minor).toBe('1.37');
  expect(catalog.distributions.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['debian-11', 'debian-13', 'ubuntu-20.04', 'ubuntu-26.04', 'el-8', 'el-10', 'sles-16']),
  );
});

test('the compiled catalog equals the one that the schemas read', async () => {
  expect(readParsed(catalogText(directory)), 'npm run compile').toBeDefined();
  expect(await loadCatalog(directory)).toEqual(await readCatalog(directory));
});

describe('rejects, with file and line', () => {
  const cases: { what: string; file: string; before: string; after: string; says: RegExp; lineBelow?: number }[] = [
    {
      what: 'a gap between two ranges',
      file: 'packages/kubelet.yaml',
      before: "{ since: '1.14', until: '1.19', version: '>= 0.7.5' }",
      after: "{ since: '1.15', until: '1.19', version: '>= 0.7.5' }",
      says: /gap: no range covers 1\.14 up to 1\.15/,
    },
    {
      what: 'two overlapping ranges',
      file: 'packages/kubelet.yaml',
      before: "{ since: '1.14', until: '1.19', version: '>= 0.7.5' }",
      after: "{ since: '1.13.2', until: '1.19', version: '>= 0.7.5' }",
      says: /overlap: two ranges cover 1\.13\.2 up to 1\.14/,
    },
    {
      what: 'a range after one without an end',
      file: 'packages/kubelet.yaml',
      before: "- { since: '1.14', until: '1.35' }\n      - { since: '1.35', absent: true }",
      after: "- { since: '1.14' }\n      - { since: '1.35', absent: true }",
      says: /has no until, so it also covers 1\.35/,
      lineBelow: 1,
    },
    {
      what: 'ranges that begin too late',
      file: 'packages/kubelet.yaml',
      before: "{ since: '1.11', until: '1.14', absent: true }",
      after: "{ since: '1.12', until: '1.14', absent: true }",
      says: /gap: no range covers 1\.11 up to 1\.12/,
    },
    {
      what: 'ranges that end too early',
      file: 'packages/kubelet.yaml',
      before: "{ since: '1.28', version: '>= 1.2.0' }",
      after: "{ since: '1.28', until: '1.37', version: '>= 1.2.0' }",
      says: /gap: no range covers 1\.37 up to the end of 1\.37/,
    },
    {
      what: 'an empty range',
      file: 'packages/kubelet.yaml',
      before: "{ since: '1.14', until: '1.35' }",
      after: "{ since: '1.14', until: '1.14' }",
      says: /empty range/,
    },
    {
      what: 'a number instead of a version',
      file: 'packages/kubelet.yaml',
      before: "since: '1.28', version",
      after: 'since: 1.30, version',
      says: /put a version in quotes/,
    },
    {
      what: 'an unknown key of a package',
      file: 'packages/kubectl.yaml',
      before: 'license: Apache-2.0',
      after: 'license: Apache-2.0\nlicence: Apache-2.0',
      lineBelow: 1,
      says: /licence/,
    },
    {
      what: 'an unknown key of a range',
      file: 'packages/kubelet.yaml',
      before: "- { since: '1.11', until: '1.14', absent: true }",
      after: "- { since: '1.11', untill: '1.14', absent: true }",
      says: /untill/,
    },
    {
      what: 'a dependency without a name in a distribution',
      file: 'packages/kubelet.yaml',
      before: '- depends: socat',
      after: '- depends: sockat',
      says: /debian-11 has no name for sockat/,
    },
    {
      what: 'a distribution without a name for a dependency',
      file: 'distributions/fedora.yaml',
      before: '  socat: socat\n',
      after: '',
      says: /fedora-43 has no name for socat/,
    },
    {
      what: 'a package name with a space',
      file: 'distributions/debian.yaml',
      before: 'iproute: iproute2',
      after: 'iproute: iproute2 (>= 5)',
      says: /a package name/,
    },
    {
      what: 'a relation of two kinds',
      file: 'packages/kubelet.yaml',
      before: '- { depends: util-linux }',
      after: '- { depends: util-linux, recommends: util-linux }',
      says: /exactly one of/,
    },
    {
      what: 'a constraint without an operator',
      file: 'packages/kubelet.yaml',
      before: "version: '>= 1.4.21'",
      after: "version: '1.4.21'",
      says: /an operator and a version/,
    },
    {
      what: 'a path with ..',
      file: 'packages/kubelet.yaml',
      before: 'directory: /var/lib/kubelet',
      after: 'directory: /var/lib/../kubelet',
      says: /directory/,
    },
    {
      what: 'an unknown directory name in a path',
      file: 'packages/kubelet.yaml',
      before: "path: '{units}/kubelet.service'",
      after: "path: '{unit}/kubelet.service'",
      says: /it may begin with \{units\}/,
    },
    {
      what: 'a multi-line value',
      file: 'packages/kubectl.yaml',
      before: 'summary: Command-line utility for interacting with a Kubernetes cluster',
      after: 'summary: "Utility\\nDepends: evil"',
      says: /one line/,
    },
    {
      what: 'an unknown compression',
      file: 'distributions/debian.yaml',
      before: "['xz:6', 'gzip:9', none]",
      after: "['xz:11', 'gzip:9', none]",
      says: /unknown compression "xz:11"/,
    },
    {
      what: 'two distributions with the same name',
      file: 'distributions/ubuntu.yaml',
      before: 'aliases: [jammy]',
      after: 'aliases: [bookworm]',
      says: /bookworm is already a name of debian-12/,
    },
    {
      what: 'a missing minor',
      file: 'versions.yaml',
      before: "  - { minor: '1.20', released: 2020-12-08 }\n",
      after: '',
      says: /1\.20 must follow 1\.19/,
    },
    {
      what: 'a pin that does not satisfy a dependency of kubeadm',
      file: 'versions.yaml',
      before: "{ since: '1.24.5', until: '1.26', cri-tools: 1.25.0, cni-plugins: 1.1.1 }",
      after: "{ since: '1.24.5', until: '1.26', cri-tools: 1.24.2, cni-plugins: 1.1.1 }",
      says: /kubeadm needs cri-tools >= 1\.25\.0, but the pin is 1\.24\.2/,
    },
    {
      what: 'a gap in the pins',
      file: 'versions.yaml',
      before: "  - { since: '1.30', until: '1.31', cri-tools: 1.30.1, cni-plugins: 1.4.0 }\n",
      after: '',
      says: /gap: no range covers 1\.30 up to 1\.31/,
    },
    {
      what: 'a file that is not YAML',
      file: 'packages/kubectl.yaml',
      before: 'relations: []',
      after: 'relations: [',
      says: /invalid YAML/,
      lineBelow: 1,
    },
  ];

  test.each(cases)('$what', async ({ file, before, after, says, lineBelow = 0 }) => {
    const line = (await edit(file, before, after)) + lineBelow;
    const error = await loadError();
    expect(error.kind).toBe('config');
    expect(error.message).toMatch(says);
    if (error.where?.startsWith(join(directory, file))) {
      expect(error.where).toMatch(new RegExp(`:${line}:\\d+$`));
    } else {
      // A missing name in a distribution is reported in the package that needs it.
      expect(error.where).toMatch(/kubelet\.yaml:\d+:\d+$/);
    }
  });
});

test('rejects a package whose file has another name', async () => {
  await edit('packages/kubectl.yaml', 'name: kubectl', 'name: kubectl-tool');
  const error = await loadError();
  expect(error.message).toContain('kubectl-tool');
  expect(error.where).toBe(join(directory, 'packages/kubectl.yaml'));
});

test('rejects a directory without the data', async () => {
  await rm(join(directory, 'distributions'), { recursive: true });
  const error = await loadError();
  expect(error.kind).toBe('io');
  expect(error.where).toBe(join(directory, 'distributions'));
});
