import valid from 'semver/functions/valid.js';
import { ARCHITECTURES } from '../../model/architecture.ts';
import type { PublishedDigest } from '../../model/digest.ts';
import type { ComponentRequest, FoundRelease, Source, SourceContext } from '../../release/source.ts';
import { isSatisfiedBy, type VersionRequest } from '../../release/version-request.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { parsePublishedDigest } from './digest-file.ts';
import type { Transport } from './transport.ts';
import { artifactUrl, channelUrl, digestUrls, type UrlLayout } from './url-layout.ts';

export interface ServerSourceOptions {
  readonly name: string;
  readonly layout: UrlLayout;
  readonly transport: Transport;
  /**
   * SHA-256 (hex) by URL, trusted by the user. They override published digests, which old releases lack.
   */
  readonly digests?: ReadonlyMap<string, string> | undefined;
}

/** The release servers, a mirror of them, or a copy of them in a directory. */
export function createServerSource({ name, layout, transport, digests }: ServerSourceOptions): Source {
  return {
    name,
    close: () => transport.close(),
    transfer: (artifact, sink, context) => transport.transfer(artifact, sink, context),
    async find(request, context): Promise<FoundRelease> {
      const version =
        request.kind === 'exact' ? request.version : await newestVersion(request, layout, transport, context);
      return { version, date: await releaseDate(version, layout, transport, context), pins: {} };
    },
    async artifacts(request, context) {
      const { component, architecture, version } = request;
      const file = artifactUrl(layout, component, version, architecture);
      const trusted = digests?.get(file.url);
      const digest: PublishedDigest =
        trusted === undefined ? await publishedDigest(request, file, layout, transport, context) : { sha256: trusted };
      return [{ ...request, ...file, ...digest, size: undefined }];
    },
  };
}

async function newestVersion(
  request: Exclude<VersionRequest, { kind: 'exact' }>,
  layout: UrlLayout,
  transport: Transport,
  context: SourceContext,
): Promise<string> {
  const url = channelUrl(layout, request.kind === 'stable' ? 'stable' : `stable-${request.minor}`);
  const text = await transport.text(url, context);
  if (text === undefined) {
    throw new KubeparcelError('network', 'the server does not publish the newest version', {
      where: url,
      hint: 'give an exact version such as 1.36.4; an unreleased minor version has only pre-releases',
    });
  }
  const version = /^v(\d+\.\d+\.\d+)\s*$/.exec(text)?.[1];
  if (version === undefined || valid(version) === null || !isSatisfiedBy(request, version)) {
    throw new KubeparcelError('network', `unexpected newest version: ${JSON.stringify(text.slice(0, 60))}`, {
      where: url,
      hint: 'check the base URL of the server, or give an exact version such as 1.36.4',
    });
  }
  return version;
}

/** When the first available kubelet was published, whatever is built: all builds of a release have the same date. */
async function releaseDate(
  version: string,
  layout: UrlLayout,
  transport: Transport,
  context: SourceContext,
): Promise<number | undefined> {
  for (const architecture of ARCHITECTURES) {
    const { url } = artifactUrl(layout, 'kubelet', version, architecture);
    const { found, date } = await transport.probe(url, context);
    if (found) return date;
  }
  throw new KubeparcelError('network', `there is no release ${version}`, {
    where: artifactUrl(layout, 'kubelet', version, ARCHITECTURES[0]).url,
    hint: 'check the version, and the base URL of the server',
  });
}

async function publishedDigest(
  { component, architecture, version }: ComponentRequest,
  { url, name }: { readonly url: string; readonly name: string },
  layout: UrlLayout,
  transport: Transport,
  context: SourceContext,
): Promise<PublishedDigest> {
  const candidates = digestUrls(layout, url);
  for (const { algorithm, url: where } of candidates) {
    const text = await transport.text(where, context);
    if (text !== undefined) return parsePublishedDigest(text, algorithm, name, where);
  }
  if (!(await transport.probe(url, context)).found) {
    throw new KubeparcelError('network', `there is no ${component} ${version} for ${architecture}`, {
      where: url,
      hint: 'check the version and the architecture',
    });
  }
  const algorithms = candidates.map(({ algorithm }) => algorithm).join(' or ');
  throw new KubeparcelError('verification', `no ${algorithms} digest is published for ${component} ${version}`, {
    where: url,
    hint: 'create a directory of binaries with a SHA256SUMS that you trust, and pass it with --source',
  });
}
