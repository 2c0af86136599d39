import valid from 'semver/functions/valid.js';
import { ARCHITECTURES } from '../../model/architecture.ts';
import type { Digest } from '../../model/digest.ts';
import type { FoundRelease, Source, SourceContext, WantedComponent } from '../../release/source.ts';
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
   * SHA-256 (hex) by URL, from somebody whom the user trusts; they come before published ones, and make up for those
   * that old releases lack.
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
      const version = request.kind === 'exact' ? request.version : await newest(request, layout, transport, context);
      return { version, date: await releaseDate(version, layout, transport, context), pins: {} };
    },
    async artifacts(wanted, context) {
      const { component, architecture, version } = wanted;
      const where = artifactUrl(layout, component, version, architecture);
      const trusted = digests?.get(where.url);
      const digest: Digest =
        trusted === undefined
          ? await publishedDigest(wanted, where, layout, transport, context)
          : { algorithm: 'sha256', value: trusted };
      return [{ component, architecture, version, ...where, digest, size: undefined }];
    },
  };
}

async function newest(
  request: Exclude<VersionRequest, { kind: 'exact' }>,
  layout: UrlLayout,
  transport: Transport,
  context: SourceContext,
): Promise<string> {
  const url = channelUrl(layout, request.kind === 'stable' ? 'stable' : `stable-${request.minor}`);
  const text = await transport.text(url, context);
  if (text === undefined) {
    throw new KubeparcelError('network', 'the server does not say which version is the newest', {
      where: url,
      hint: 'name a version such as 1.36.4; a minor that is not released yet has pre-releases only',
    });
  }
  const version = /^v(\d+\.\d+\.\d+)\s*$/.exec(text)?.[1];
  if (version === undefined || valid(version) === null || !isSatisfiedBy(request, version)) {
    throw new KubeparcelError('network', `not the version that is wanted: ${JSON.stringify(text.slice(0, 60))}`, {
      where: url,
      hint: 'check the base URL of the server, or name a version such as 1.36.4',
    });
  }
  return version;
}

/** When the kubelet was published; of the first architecture that has one, whatever is built. */
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
  { component, architecture, version }: WantedComponent,
  { url, name }: { readonly url: string; readonly name: string },
  layout: UrlLayout,
  transport: Transport,
  context: SourceContext,
): Promise<Digest> {
  const places = digestUrls(layout, url);
  for (const place of places) {
    const text = await transport.text(place.url, context);
    if (text !== undefined) {
      return parsePublishedDigest(text, place.algorithm, name, place.url);
    }
  }
  if (!(await transport.probe(url, context)).found) {
    throw new KubeparcelError('network', `there is no ${component} ${version} for ${architecture}`, {
      where: url,
      hint: 'check the version and the architecture',
    });
  }
  const kinds = places.map((place) => place.algorithm).join(' or ');
  throw new KubeparcelError('verification', `no ${kinds} digest is published for ${component} ${version}`, {
    where: url,
    hint: 'put the files into a directory of binaries with a SHA256SUMS that you trust, and name it with --source',
  });
}
