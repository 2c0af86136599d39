import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { copySync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { INDEX_FILE } from '../../src/repo/model/index-file.ts';
import { addPackages } from '../../src/repo/operations/add.ts';
import { indexRepository } from '../../src/repo/operations/reindex.ts';
import { openTarget } from '../../src/repo/publish/open-target.ts';
import { publish } from '../../src/repo/publish/publish.ts';
import { serveRepository } from '../../src/repo/serve/serve.ts';
import { isFault, type VerifyReport } from '../../src/repo/verify/finding.ts';
import { type VerifyPublishedOptions, verifyPublished } from '../../src/repo/verify/verify-published.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import { clearsignTogether, signTogether } from '../../src/sign/signatures.ts';
import type { Signer } from '../../src/sign/signer.ts';
import { writeReleases } from '../support/repo-packages.ts';
import { BUCKET, type S3Server, startS3Server } from '../support/s3-server.ts';
import { makeKey, type TestKey } from '../support/signing.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const DATE = 1_760_000_000;
const DEB = 'core:/stable:/v1.36/deb';
const RPM = 'core:/stable:/v1.36/rpm';

let directory: string;
let repository: string;
let published: string;
let key: TestKey;
let other: TestKey;
let signers: Signer[];
let s3: S3Server | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
  key = await makeKey(directory, 'packages');
  other = await makeKey(directory, 'other');
  signers = await openSigners([key.secret]);
  repository = join(directory, 'repository');
  const built = await writeReleases(join(directory, 'built'), ['1.36.4', '1.37.0'], ['kubelet']);
  await addPackages(repository, built, { channel: 'stable', signers, date: DATE });
  published = join(directory, 'published');
  await publishTo(repository, published);
  if (!hasTool('versitygw')) return;
  s3 = await startS3Server(join(directory, 's3'));
  Object.assign(process.env, s3.environment);
}, 60_000);
afterAll(async () => {
  for (const name of Object.keys(s3?.environment ?? {})) delete process.env[name];
  await s3?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function publishTo(from: string, text: string): Promise<void> {
  const target = await openTarget(text);
  try {
    await publish({ directory: from, marker: INDEX_FILE, target, dryRun: false, keep: false });
  } finally {
    await target.close();
  }
}

/** A copy of what was published, with its links and its packages' one copy. */
function copy(): string {
  const site = join(temporaryDirectory(), 'site');
  copySync(published, site);
  return site;
}

async function serve(site: string): Promise<string> {
  const server = await serveRepository(site, { port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  return server.url;
}

async function answer(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SOURCES: readonly { source: string; missing?: boolean; open: (site: string) => Promise<string> }[] = [
  { source: 'a directory', open: (site) => Promise.resolve(site) },
  { source: 'http', open: serve },
  {
    source: 'S3',
    missing: !hasTool('versitygw'),
    open: async (site) => {
      const place = `s3://${BUCKET}/${createHash('md5').update(site).digest('hex')}`;
      await publishTo(site, place);
      return place;
    },
  },
];

const faults = ({ findings }: VerifyReport) => findings.filter(isFault).map(({ kind, path }) => `${kind} ${path}`);
const notes = ({ findings }: VerifyReport) => findings.filter(({ kind }) => kind === 'note').map(({ what }) => what);

/** A file of its own with other bytes: not for the others that are links to it. */
function replace(file: string, bytes: Uint8Array | string): void {
  rmSync(file);
  writeFileSync(file, bytes);
}

function flip(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  replace(file, bytes);
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');
const byHash = (view: string, name: string) => `${view}/by-hash/SHA256/${sha256(readFileSync(join(view, name)))}`;

/** Signs what somebody with the key could have written: a Release with these lists and these fields. */
async function signRelease(view: string, edit: (release: string) => string): Promise<void> {
  const release = edit(readFileSync(join(view, 'Release'), 'utf8'));
  writeFileSync(join(view, 'Release'), release);
  writeFileSync(join(view, 'Release.gpg'), await signTogether(signers, Buffer.from(release), DATE));
  writeFileSync(join(view, 'InRelease'), await clearsignTogether(signers, release, DATE));
}

/** A list with another text, and a Release that names it alone. */
async function rewriteList(view: string, edit: (text: string) => string): Promise<void> {
  const text = edit(readFileSync(join(view, 'Packages'), 'utf8'));
  writeFileSync(join(view, 'Packages'), text);
  writeFileSync(byHash(view, 'Packages'), text);
  await signRelease(view, (release) => release.replace(/^SHA256:\n( .*\n)*/m, releaseList(text)));
}

function releaseList(text: string): string {
  return `SHA256:\n ${sha256(text)} ${Buffer.byteLength(text)} Packages\n`;
}

/** A primary with another text, and a repomd.xml that names it. */
async function rewritePrimary(view: string, edit: (text: string) => string): Promise<void> {
  const repodata = join(view, 'repodata');
  const name = readdirSync(repodata).find((each) => each.endsWith('-primary.xml.gz')) ?? '';
  const text = edit(gunzipSync(readFileSync(join(repodata, name))).toString('utf8'));
  const bytes = gzipSync(text);
  writeFileSync(join(repodata, 'primary.xml.gz'), bytes);
  const facts = [
    [/<checksum type="sha256">\w+/, `<checksum type="sha256">${sha256(bytes)}`],
    [/<open-checksum type="sha256">\w+/, `<open-checksum type="sha256">${sha256(text)}`],
    [/href="[^"]*"/, 'href="repodata/primary.xml.gz"'],
    [/<size>\d+/, `<size>${bytes.length}`],
    [/<open-size>\d+/, `<open-size>${Buffer.byteLength(text)}`],
  ] as const;
  await signRepomd(view, (repomd) =>
    repomd.replace(/<data type="primary">[\s\S]*?<\/data>/, (data) =>
      facts.reduce((body, [from, to]) => body.replace(from, to), data),
    ),
  );
}

async function signRepomd(view: string, edit: (repomd: string) => string): Promise<void> {
  const repomd = edit(readFileSync(join(view, 'repodata/repomd.xml'), 'utf8'));
  writeFileSync(join(view, 'repodata/repomd.xml'), repomd);
  writeFileSync(join(view, 'repodata/repomd.xml.asc'), await signTogether(signers, Buffer.from(repomd), DATE));
}

const KUBELET = 'pool/k/kubelet/kubelet_1.36.4-1_amd64.deb';

interface Damage {
  readonly what: string;
  readonly make: (site: string) => unknown;
  readonly found: readonly (string | RegExp)[];
  /** What the findings say. */
  readonly says?: RegExp;
}

/** What somebody, or a disk, did to a copy; and what is found then, all of it. */
const DAMAGES: readonly Damage[] = [
  { what: 'a changed byte in a package', make: (site) => flip(join(site, KUBELET)), found: [`changed ${KUBELET}`] },
  {
    what: 'a missing package',
    make: (site) => rmSync(join(site, RPM, 'x86_64/kubelet-1.36.4-1.x86_64.rpm')),
    found: [`missing ${RPM}/x86_64/kubelet-1.36.4-1.x86_64.rpm`],
  },
  {
    what: 'a package with additional bytes',
    make: (site) => replace(join(site, KUBELET), Buffer.alloc(1 << 20)),
    found: [`changed ${KUBELET}`],
    says: /another size/,
  },
  {
    what: 'a changed by-hash file',
    make: (site) => flip(byHash(join(site, DEB), 'Packages.xz')),
    found: [/^changed core:\/stable:\/v1.36\/deb\/by-hash\/SHA256\/[0-9a-f]{64}$/],
  },
  {
    what: 'a missing Packages file',
    make: (site) => rmSync(join(site, 'dists/stable/main/binary-amd64/Packages.gz')),
    found: ['missing dists/stable/main/binary-amd64/Packages.gz'],
  },
  {
    what: 'primary',
    make: (site) => {
      const name = readdirSync(join(site, RPM, 'repodata')).find((each) => each.endsWith('-primary.xml.gz')) ?? '';
      flip(join(site, RPM, 'repodata', name));
    },
    found: [/^changed core:\/stable:\/v1.36\/rpm\/repodata\/[0-9a-f]{64}-primary.xml.gz$/],
  },
  { what: 'InRelease', make: (site) => flip(join(site, DEB, 'InRelease')), found: [`signature ${DEB}/InRelease`] },
  {
    what: 'repomd.xml',
    make: (site) => flip(join(site, RPM, 'repodata/repomd.xml')),
    found: [`signature ${RPM}/repodata/repomd.xml.asc`],
  },
  {
    what: 'a missing InRelease',
    make: (site) => rmSync(join(site, DEB, 'InRelease')),
    found: [`missing ${DEB}/InRelease`],
  },
  {
    what: 'a missing Release.gpg',
    make: (site) => rmSync(join(site, DEB, 'Release.gpg')),
    found: [`missing ${DEB}/Release.gpg`],
  },
  {
    what: 'a missing signature of repomd.xml',
    make: (site) => rmSync(join(site, RPM, 'repodata/repomd.xml.asc')),
    found: [`missing ${RPM}/repodata/repomd.xml.asc`],
  },
  {
    what: 'a missing public key',
    make: (site) => rmSync(join(site, DEB, 'Release.key')),
    found: [`signature ${DEB}/InRelease`, `signature ${DEB}/Release.gpg`, `missing ${DEB}/Release.key`],
  },
  {
    what: 'an expired Valid-Until',
    make: (site) =>
      signRelease(join(site, DEB), (text) =>
        text.replace(/^Date: .*$/m, '$&\nValid-Until: Fri, 10 Oct 2025 08:53:20 UTC'),
      ),
    found: [`expired ${DEB}/InRelease`],
    says: /expired on Fri, 10 Oct 2025 08:53:20 UTC/,
  },
  {
    what: 'a path outside the repository in Packages',
    make: (site) =>
      rewriteList(join(site, DEB), (text) => text.replace(/^Filename: .*/m, 'Filename: ../../../../etc/passwd')),
    found: [`index ${DEB}/Packages`],
    says: /etc\/passwd/,
  },
  {
    what: 'an absolute path in Packages',
    make: (site) => rewriteList(join(site, DEB), (text) => text.replace(/^Filename: .*/m, 'Filename: /etc/passwd')),
    found: [`index ${DEB}/Packages`],
  },
  {
    what: 'a path outside the repository in Release',
    make: (site) =>
      signRelease(join(site, DEB), (text) => text.replace(/ Packages\.gz$/m, ' ../../../../../etc/passwd')),
    found: [`index ${DEB}/InRelease`],
    says: /etc\/passwd/,
  },
  {
    what: 'a path outside the repository in primary',
    make: (site) =>
      rewritePrimary(join(site, RPM), (text) =>
        text.replace(/<location href="[^"]*"/, '<location href="../../../../x.rpm"'),
      ),
    found: [
      /^index core:\/stable:\/v1.36\/rpm\/repodata\/[0-9a-f]{64}-filelists.xml.gz$/,
      /^index core:\/stable:\/v1.36\/rpm\/repodata\/[0-9a-f]{64}-other.xml.gz$/,
      `index ${RPM}/repodata/primary.xml.gz`,
    ],
  },
  {
    what: 'a path outside the repository in repomd.xml',
    make: (site) =>
      signRepomd(join(site, RPM), (text) =>
        text.replace(/href="repodata\/[^"]*-other/, 'href="repodata/../../x-other'),
      ),
    found: [`index ${RPM}/repodata/repomd.xml`],
  },
  {
    what: 'a Packages file that is not the signed one',
    make: (site) => rewritePrimary(join(site, RPM), (text) => text.replace('packages="1"', 'packages="2"')),
    found: [`index ${RPM}/repodata/primary.xml.gz`],
    says: /attribute is 2, the number of readable packages is 1/,
  },
  {
    what: 'a view that exists only in index.json',
    make: (site) => rmSync(join(site, RPM, 'repodata'), { recursive: true }),
    found: [
      `missing ${RPM}/repodata/repomd.xml`,
      `missing ${RPM}/repodata/repomd.xml.asc`,
      `missing ${RPM}/repodata/repomd.xml.key`,
    ],
  },
];

describe.each(SOURCES.filter(({ missing }) => missing !== true))('verifying a copy: $source', ({ open }) => {
  test('has no findings, with its own keys and with specified keys', async () => {
    const target = await open(copy());
    const own = await verifyPublished(target);
    expect(own).toMatchObject({ findings: [], views: 6, packages: 4, keys: [key.fingerprint], ownKeys: true });
    const given = await verifyPublished(target, { keys: readFileSync(key.public), quick: true });
    expect(given).toMatchObject({ findings: [], packages: 4, keys: [key.fingerprint], ownKeys: false });
  });

  test.each(DAMAGES)('reports damage: $what', async ({ make, found, says = /./ }) => {
    const site = copy();
    await make(site);
    const report = await verifyPublished(await open(site));
    expect(faults(report), JSON.stringify(report.findings)).toEqual(
      found.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))),
    );
    for (const { what } of report.findings.filter(isFault)) expect(what).toMatch(says);
  });

  test('reports a signature by another key and a public key that did not sign', async () => {
    const site = copy();
    const foreign = await verifyPublished(await open(site), { keys: readFileSync(other.public) });
    expect(faults(foreign)).toContain(`signature ${DEB}/InRelease`);
    expect(faults(foreign)).toContain('signature rpm/stable/repodata/repomd.xml.asc');
    expect(foreign.keys).toEqual([]);
    replace(join(site, DEB, 'Release.key'), readFileSync(other.public));
    const exchanged = await verifyPublished(await open(site), { keys: readFileSync(key.public) });
    expect(faults(exchanged)).toEqual([`signature ${DEB}/Release.key`]);
  });

  test('quick compares only sizes', async () => {
    const site = copy();
    flip(join(site, KUBELET));
    const target = await open(site);
    expect(faults(await verifyPublished(target, { quick: true }))).toEqual([]);
    expect(faults(await verifyPublished(target))).toEqual([`changed ${KUBELET}`]);
    writeFileSync(join(site, KUBELET), 'short');
    expect(faults(await verifyPublished(await open(site), { quick: true }))).toEqual([`changed ${KUBELET}`]);
  });

  test('a state between two steps of publishing is a note', async () => {
    const site = copy();
    // Lists under fixed names, Release and its signature of the next state; InRelease of this one.
    writeFileSync(join(site, DEB, 'Packages'), 'Package: next\n');
    const release = `${readFileSync(join(site, DEB, 'Release'), 'utf8')}`.replace('Label: ', 'Label: Next ');
    writeFileSync(join(site, DEB, 'Release.gpg'), await signTogether(signers, Buffer.from(release), DATE));
    const report = await verifyPublished(await open(site));
    expect(faults(report)).toEqual([]);
    expect(notes(report)).toHaveLength(2);
    writeFileSync(join(site, DEB, 'Release'), release);
    expect(notes(await verifyPublished(await open(site)))).toHaveLength(2);
    // A fault if there is no by-hash copy.
    rmSync(join(site, DEB, 'by-hash'), { recursive: true });
    expect(faults(await verifyPublished(await open(site)))).toContain(`changed ${DEB}/Packages`);
  });

  test('counts files that no index lists if files can be listed', async () => {
    const site = copy();
    writeFileSync(join(site, DEB, 'amd64/old.deb'), '12345');
    writeFileSync(join(site, DEB, `by-hash/SHA256/${'0'.repeat(64)}`), '123');
    writeFileSync(join(site, 'index.html'), '<p>');
    const target = await open(site);
    const report = await verifyPublished(target);
    expect(faults(report)).toEqual([]);
    const expected = [
      '1 file that no index lists (5 bytes): the next publish deletes such files in directories of the repository',
      '1 index of an earlier state (3 bytes): kept for clients',
    ];
    expect(notes(report).sort()).toEqual(target.startsWith('http') ? [] : expected);
  });

  test('accepts a copy of one view without index.json', async () => {
    const site = join(temporaryDirectory(), 'site');
    for (const view of [DEB, RPM]) {
      copySync(join(published, view), join(site, view));
    }
    // publish() requires it.
    writeFileSync(join(site, INDEX_FILE), '{}');
    const target = await open(site);
    for (const view of [DEB, RPM]) {
      const report = await verifyPublished(`${target}/${view}/`);
      expect(report).toMatchObject({ findings: [], views: 1, packages: 1 });
    }
    const suite = await verifyPublished(`${await open(copy())}/dists/stable`);
    expect(suite).toMatchObject({ findings: [], views: 1, packages: 2 });
  });

  test('a missing repository is an error with a hint', async () => {
    const site = temporaryDirectory();
    writeFileSync(join(site, INDEX_FILE), '[]');
    const target = await open(site);
    await expect(verifyPublished(`${target}/not`)).rejects.toMatchObject({ kind: 'usage' });
  });
});

describe('a directory', () => {
  test('symbolic links made by publish are followed, others are refused', async () => {
    const site = copy();
    renameSync(join(site, DEB), join(dirname(site), 'elsewhere'));
    symlinkSync(join(dirname(site), 'elsewhere'), join(site, DEB));
    rmSync(join(site, KUBELET));
    symlinkSync('/etc/passwd', join(site, KUBELET));
    const report = await verifyPublished(site);
    expect(faults(report)).toContain(`changed ${KUBELET}`);
    expect(faults(report)).toContain(`index ${DEB}/InRelease`);
    expect(report.findings.map(({ what }) => what)).toContain('a symbolic link in its path leaves the repository');
  });

  test('a package with several hard links is read once', async () => {
    const site = copy();
    const view = join(site, DEB, 'amd64/kubelet_1.36.4-1_amd64.deb');
    rmSync(view);
    linkSync(join(site, KUBELET), view);
    expect(faults(await verifyPublished(site))).toEqual([]);
  });

  test('repo verify also reports an expired repository', async () => {
    const site = join(temporaryDirectory(), 'site');
    copySync(repository, site);
    await indexRepository(site, { signers, date: DATE + 1, settings: { validDays: 1 }, all: true });
    const { verifyRepository } = await import('../../src/repo/verify/verify.ts');
    expect(faults(await verifyRepository(site))).toContain('expired dists/stable/InRelease');
    const out = join(temporaryDirectory(), 'out');
    await publishTo(site, out);
    expect(faults(await verifyPublished(out))).toContain('expired dists/stable/InRelease');
  });
});

describe('a web server', () => {
  const verify = (url: string, options: VerifyPublishedOptions = {}) => verifyPublished(url, options);

  test('redirects are followed; colons in URLs are not escaped', async () => {
    const inner = await serve(copy());
    const asked: string[] = [];
    const url = await answer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: `${inner}${request.url?.replace('/repo', '')}` }).end();
    });
    expect(await verify(`${url}/repo/`)).toMatchObject({ findings: [], views: 6 });
    expect(asked).toContain('/repo/core:/stable:/v1.36/deb/InRelease');
  });

  test('an endless response is aborted', async () => {
    const site = copy();
    const url = await answer((request, response) => {
      const path = decodeURIComponent(request.url ?? '').slice(1);
      if (path === KUBELET) return void setInterval(() => response.write(Buffer.alloc(1 << 16)), 1).unref();
      if (!existsSync(join(site, path))) return void response.writeHead(404).end();
      response.end(readFileSync(join(site, path)));
    });
    expect(faults(await verify(url))).toEqual([`changed ${KUBELET}`]);
  });

  test('a hostile index.json causes no requests outside the repository', async () => {
    const asked: string[] = [];
    const index = { schema: 1, keys: [], views: [{ directory: '../../secret', format: 'deb' }], packages: [] };
    const url = await answer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/a/b/index.json') response.end(JSON.stringify(index));
      else response.writeHead(404).end();
    });
    await expect(verify(`${url}/a/b`)).rejects.toMatchObject({ kind: 'usage' });
    expect(asked.filter((path) => !path.startsWith('/a/b/'))).toEqual([]);
  });

  test('an unreachable server and an invalid URL are errors with a hint', async () => {
    const wrong = [
      ['http://user:secret@127.0.0.1:9/x', 'usage'],
      ['rsync://host/module', 'usage'],
      ['www@host:/srv/packages', 'usage'],
      ['ftp://host/x', 'usage'],
    ] as const;
    for (const [target, kind] of wrong) {
      const error = await verify(target).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ kind, hint: expect.any(String) });
      expect(JSON.stringify([error, String(error)])).not.toContain('secret');
    }
    const url = await answer((_, response) => void response.writeHead(403).end());
    await expect(verify(url)).rejects.toMatchObject({ kind: 'network', where: `${url}/index.json` });
  });
});

test('a view without InRelease is ignored while publishing deletes it', async () => {
  const site = copy();
  const gone = 'core:/stable:/v1.35/deb';
  mkdirSync(join(site, gone), { recursive: true });
  for (const name of ['Packages', 'Release', 'Release.gpg']) {
    writeFileSync(join(site, gone, name), readFileSync(join(site, DEB, name)));
  }
  const report = await verifyPublished(site);
  expect(faults(report)).toEqual([]);
  expect(notes(report)).toHaveLength(1);
});
