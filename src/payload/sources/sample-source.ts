import { join } from 'node:path';
import { z } from 'zod';
import { COMPONENTS } from '../../model/component.ts';
import { sha256 } from '../../model/digest.ts';
import { type Artifact, isSample } from '../../release/release.ts';
import type { ComponentRequest, Source } from '../../release/source.ts';
import { isSatisfiedBy, type VersionRequest } from '../../release/version-request.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';
import { parseDigestList } from './digest-file.ts';
import { readLocalText } from './local-file.ts';

const MAX_TEMPLATE_BYTES = 1 << 16;

const fileName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file name');
const sampleSchema = z.strictObject({
  kubernetes: z.string().regex(/^1\.\d+\.\d+$/, 'a version such as 1.37.0'),
  date: z.iso.datetime(),
  components: z.record(z.enum(COMPONENTS), z.record(fileName, fileName)),
});

/**
 * The embedded sample release: POSIX shell scripts in place of the programs, generated from packaging/sample for any
 * version and architecture.
 *
 * @param directory packaging/sample
 * @throws KubeparcelError: 'config' for a malformed release.yaml, 'verification' when a template does not match
 * SHA256SUMS, 'io' when a file is missing
 */
export async function openSampleSource(directory: string): Promise<Source> {
  const digests = parseDigestList(await readSampleFile(join(directory, 'SHA256SUMS')), join(directory, 'SHA256SUMS'));
  const readPinned = async (name: string): Promise<string> => {
    const path = join(directory, name);
    const text = await readSampleFile(path);
    if (sha256(text) !== digests.get(name)) {
      throw new KubeparcelError('verification', 'the embedded sample does not match its SHA256SUMS', {
        where: path,
        hint: 'reinstall kubeparcel',
      });
    }
    return text;
  };
  const sample = parseValidatedYaml(await readPinned('release.yaml'), sampleSchema, join(directory, 'release.yaml'));
  const templates = new Map<string, string>();
  for (const files of Object.values(sample.components)) {
    for (const template of Object.values(files)) {
      templates.set(template, await readPinned(template));
    }
  }

  const render = ({ component, architecture, version }: ComponentRequest, name: string): Buffer | undefined => {
    const template = templates.get(sample.components[component][name] ?? '');
    if (template === undefined) return undefined;
    const values: Readonly<Record<string, string>> = { '@VERSION@': version, '@ARCH@': architecture, '@NAME@': name };
    return Buffer.from(template.replace(/@[A-Z]+@/g, (placeholder) => values[placeholder] ?? placeholder));
  };

  return {
    name: 'sample',
    close: async () => {},
    find: async (request) => ({
      version: versionFor(request, sample.kubernetes),
      date: Math.floor(Date.parse(sample.date) / 1000),
      pins: {},
    }),
    async artifacts(request) {
      const { component, architecture, version } = request;
      return Object.keys(sample.components[component])
        .sort()
        .flatMap((name): Artifact[] => {
          const bytes = render(request, name);
          if (bytes === undefined) return [];
          const url = `sample:${component}/${version}/${architecture}/${name}`;
          return [{ ...request, packing: 'plain', name, url, sha256: sha256(bytes), size: bytes.length }];
        });
    },
    async transfer(artifact, sink) {
      const bytes = isSample(artifact) ? render(artifact, artifact.name) : undefined;
      if (bytes === undefined) {
        throw new KubeparcelError('config', 'the embedded sample has no such artifact', {
          where: artifact.url,
          hint: 'use the source that the lock was created from',
        });
      }
      await sink.restart();
      await sink.append(bytes);
    },
  };
}

function versionFor(request: VersionRequest, stable: string): string {
  if (request.kind === 'exact') return request.version;
  return request.kind === 'stable' || isSatisfiedBy(request, stable) ? stable : `${request.minor}.0`;
}

async function readSampleFile(path: string): Promise<string> {
  const text = await readLocalText(path, MAX_TEMPLATE_BYTES);
  if (text === undefined) {
    throw new KubeparcelError('io', 'a file of the embedded sample is missing', {
      where: path,
      hint: 'reinstall kubeparcel',
    });
  }
  return text;
}
