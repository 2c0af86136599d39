import { createHash } from 'node:crypto';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import type { Format } from '../../src/model/format.ts';
import type { RepositoryIndex } from '../../src/repo/model/index-file.ts';
import type { PackageRecord } from '../../src/repo/model/record.ts';
import { type Channel, poolPath } from '../../src/repo/model/repository.ts';
import { loadClients } from '../../src/repo/site/clients.ts';
import { siteModel } from '../../src/repo/site/model.ts';
import { type Page, renderSite, type SigningKeyOnSite } from '../../src/repo/site/write-site.ts';

const NAMES = ['cri-tools', 'kubeadm', 'kubectl', 'kubelet', 'kubernetes-cni'];
const ARCHITECTURES: Readonly<Record<Format, readonly string[]>> = {
  deb: ['amd64', 'arm64', 'ppc64el', 's390x'],
  rpm: ['x86_64', 'aarch64', 'ppc64le', 's390x'],
};
const SUMMARY = 'Node agent for Kubernetes clusters, with a name that needs <b>escaping</b> & more';

export const KEY: SigningKeyOnSite = {
  fingerprint: '0123456789ABCDEF0123456789ABCDEF01234567',
  userId: 'Example packages <packages@example.org>',
};

type Listed = RepositoryIndex['packages'][number];

/** Index and records of a repository of realistic size. */
export function siteFixture(): { readonly index: RepositoryIndex; readonly records: Map<string, PackageRecord> } {
  const packages: Listed[] = [];
  const records = new Map<string, PackageRecord>();
  const versions: [channel: Channel, minor: string, version: string][] = [
    ['stable', '1.36', '1.36.4-1'],
    ['stable', '1.36', '1.36.10-1'],
    ['stable', '1.35', '1.35.9-1'],
    ['stable', '1.9', '1.9.1-1'],
    ['testing', '1.37', '1.37.0~rc.1-1'],
  ];
  for (const [channel, minor, version] of versions) {
    for (const name of NAMES) {
      for (const format of ['deb', 'rpm'] as const) {
        for (const architecture of ARCHITECTURES[format]) {
          const file =
            format === 'deb' ? `${name}_${version}_${architecture}.deb` : `${name}-${version}.${architecture}.rpm`;
          const sha256 = createHash('sha256').update(file).digest('hex');
          const identity = { format, name, version, architecture, size: 18_400_000 + version.length, sha256 };
          packages.push({ ...identity, file, path: poolPath({ name, file }), channels: { [channel]: [minor] } });
          records.set(sha256, {
            ...identity,
            schema: 1,
            installedSize: 1,
            date: 1_780_000_000,
            summary: name === 'kubelet' ? SUMMARY : `The ${name} of Kubernetes`,
            description: '',
            changelog: [
              {
                version,
                date: 1_780_000_000,
                author: 'A <a@example.org>',
                changes: ['New upstream version', '<script>'],
              },
            ],
            requires: [],
            provides: [],
            stanza: '',
            section: 'admin',
            files: [],
            xml: undefined,
          });
        }
      }
    }
  }
  return { index: { schema: 1, origin: 'Example packages', keys: [KEY.fingerprint], views: [], packages }, records };
}

export async function siteOfFixture(keys: readonly SigningKeyOnSite[] = [KEY]): Promise<Page[]> {
  const { index, records } = siteFixture();
  const clients = await loadClients(await loadCatalog());
  const url = 'https://packages.example.org/kubernetes';
  return renderSite({ model: siteModel(index, records), clients, keys, url });
}
