import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { HttpOptions } from '../../src/payload/sources/http-transport.ts';
import { openSource } from '../../src/payload/sources/open-source.ts';
import type { Source } from '../../src/release/source.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { type PublishedRelease, publishRelease, type ReleaseServer, startReleaseServer } from './release-server.ts';

export const PACKAGING = join(packageRoot(), 'packaging');

export const RELEASE: PublishedRelease = {
  version: '1.36.4',
  cniPlugins: '1.8.0',
  criTools: '1.36.0',
  architectures: ['amd64'],
};

/** Short delays for tests. */
export const QUICK: HttpOptions = { attempts: 4, firstDelay: 1, longestDelay: 4, longestRetryAfter: 2000, stall: 300 };

/** A server with a release, closed at the end of the test. */
export async function servedRelease(release: PublishedRelease = RELEASE): Promise<ReleaseServer> {
  const server = await startReleaseServer();
  onTestFinished(() => server.close());
  publishRelease(server, release);
  return server;
}

/** A source, closed at the end of the test. */
export async function openedSource(argument: string, http: HttpOptions = QUICK): Promise<Source> {
  const source = await openSource(argument, { packaging: PACKAGING, http });
  onTestFinished(() => source.close());
  return source;
}

/** SHA-256 of all objects in a store's directory, from their file names. */
export function objectsIn(directory: string): readonly string[] {
  const objects = join(directory, 'objects');
  return readdirSync(objects)
    .flatMap((two) => readdirSync(join(objects, two)).map((rest) => two + rest))
    .sort();
}
