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

/** Waits of milliseconds, so that tests need not wait. */
export const QUICK: HttpOptions = { attempts: 4, firstDelay: 1, longestDelay: 4, longestRetryAfter: 2000, stall: 300 };

/** A server with a release on it, closed when the test is over. */
export async function servedRelease(release: PublishedRelease = RELEASE): Promise<ReleaseServer> {
  const server = await startReleaseServer();
  onTestFinished(() => server.close());
  publishRelease(server, release);
  return server;
}

/** A source, closed when the test is over. */
export async function openedSource(argument: string, http: HttpOptions = QUICK): Promise<Source> {
  const source = await openSource(argument, { packaging: PACKAGING, http });
  onTestFinished(() => source.close());
  return source;
}

/** Digests of all objects in a store's directory, read from the disk and not through the store. */
export function objectsIn(directory: string): readonly string[] {
  const objects = join(directory, 'objects');
  return readdirSync(objects)
    .flatMap((two) => readdirSync(join(objects, two)).map((rest) => two + rest))
    .sort();
}
