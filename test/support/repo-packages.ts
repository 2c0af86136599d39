import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { debPackager } from '../../src/deb/write.ts';
import type { Format } from '../../src/model/format.ts';
import type { Layout } from '../../src/model/layout.ts';
import { rpmPackager } from '../../src/rpm/write.ts';
import { objectsOf } from './rpm.ts';
import { relations, sampleLayout } from './sample-layout.ts';

export interface SmallPackage {
  readonly format: Format;
  readonly name: string;
  readonly version: string;
  readonly revision?: string;
  /** Debian name: amd64, arm64, all. */
  readonly architecture?: string;
}

const RPM_ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64', all: 'noarch' };

/** A small package without dependencies. */
export function smallLayout({ format, name, version, revision = '1', architecture = 'amd64' }: SmallPackage): Layout {
  const sample = sampleLayout(format);
  return {
    ...sample,
    name,
    source: name,
    version: { epoch: 0, upstream: version, revision },
    architecture: format === 'deb' ? architecture : (RPM_ARCHITECTURES[architecture] ?? architecture),
    relations: relations({}),
    entries: sample.entries.map((entry) => ({ ...entry, path: entry.path.replaceAll('kubelet', name) })),
  };
}

/** Writes a package to a directory, which is created if needed, and returns its path. */
export async function writeSmall(layout: Layout, directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const packager = layout.format === 'deb' ? debPackager : rpmPackager;
  const options = {
    compression: { codec: 'gzip', level: 1 },
    objects: objectsOf(),
    spoolDirectory: directory,
  } as const;
  const chunks: Uint8Array[] = [];
  for await (const chunk of packager.write(layout, options)) chunks.push(chunk);
  const path = join(directory, packager.fileName(layout));
  writeFileSync(path, Buffer.concat(chunks));
  return path;
}

/** Writes packages of Kubernetes releases in both formats and returns their paths. */
export async function writeReleases(
  directory: string,
  versions: readonly string[],
  names: readonly string[] = ['kubeadm', 'kubelet'],
  architectures: readonly string[] = ['amd64'],
): Promise<string[]> {
  const paths: string[] = [];
  for (const version of versions) {
    for (const name of names) {
      for (const architecture of architectures) {
        for (const format of ['deb', 'rpm'] as const) {
          paths.push(await writeSmall(smallLayout({ format, name, version, architecture }), directory));
        }
      }
    }
  }
  return paths;
}
