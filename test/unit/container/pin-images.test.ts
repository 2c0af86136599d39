import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { pinImages } from '../../../src/container/images/pin-images.ts';
import { parseImageName, registryAnswers } from '../../../src/container/images/registry.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const MANIFEST = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
});
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;

/** A registry with anonymous tokens, like Docker Hub. `answer` replaces its behaviour. */
const server = createServer((request, response) => (answer ?? registry)(request, response));
let answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
let requests: string[] = [];
let host = '';

function registry(request: IncomingMessage, response: ServerResponse): void {
  const { url = '', headers } = request;
  requests.push(url);
  if (url === '/v2/') {
    response.writeHead(401).end();
  } else if (url.startsWith('/token?')) {
    response.end(JSON.stringify({ token: 'a-token' }));
  } else if (headers.authorization !== 'Bearer a-token') {
    const challenge = `Bearer realm="http://${host}/token",service="registry",scope="repository:library/debian:pull"`;
    response.writeHead(401, { 'www-authenticate': challenge }).end();
  } else if (/^\/v2\/library\/debian\/manifests\/1[0-9]$/.test(url) && headers.accept?.includes('image.index')) {
    response.writeHead(200, { 'docker-content-digest': DIGEST }).end(MANIFEST);
  } else {
    response.writeHead(404).end();
  }
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  answer = undefined;
  requests = [];
});

function distributions(tag = '12'): { directory: string; file: string; text: string } {
  const directory = temporaryDirectory();
  const file = join(directory, 'debian.yaml');
  const text = `# A comment that stays.
name:   debian
releases:
  - { id: debian-11, compression: &all ["zstd:12",  none], image: ${host}/library/debian:11 } # and this one
  - id: debian-${tag}
    image:   "${host}/library/debian:${tag}@sha256:${'0'.repeat(64)}"   # pinned before
    compression: *all
  - id: debian-13
    compression: *all
`;
  writeFileSync(file, text);
  return { directory, file, text };
}

test('writes the digest of each tag and changes nothing else', async () => {
  const { directory, file, text } = distributions();
  const pins = await pinImages({ directory });
  expect(pins.map(({ distribution, before, after }) => [distribution, before, after])).toEqual([
    ['debian-11', undefined, DIGEST],
    ['debian-12', `sha256:${'0'.repeat(64)}`, DIGEST],
  ]);
  const pinned = readFileSync(file, 'utf8');
  expect(pinned).toBe(
    text
      .replace('debian:11 }', `debian:11@${DIGEST} }`)
      .replace(/"(\S+):12@sha256:0+"/, (_, name) => `${name}:12@${DIGEST}`),
  );
  const releases = parseDocument(pinned).toJS().releases as { image?: string }[];
  expect(releases.map(({ image }) => image)).toEqual([
    `${host}/library/debian:11@${DIGEST}`,
    `${host}/library/debian:12@${DIGEST}`,
    undefined,
  ]);
  expect(requests).toContain('/token?service=registry&scope=repository%3Alibrary%2Fdebian%3Apull');
  await pinImages({ directory });
  expect(readFileSync(file, 'utf8')).toBe(pinned);
});

test('queries only the given distributions; a dry run writes nothing', async () => {
  const { directory, file, text } = distributions();
  expect(await pinImages({ directory, distributions: ['debian-11'], dryRun: true })).toHaveLength(1);
  expect(readFileSync(file, 'utf8')).toBe(text);
  await expect(pinImages({ directory, distributions: ['debian-13'] })).rejects.toMatchObject({ kind: 'usage' });
});

test.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string, RegExp]>([
  [
    'states a digest that differs from the manifest',
    (_, response) => response.writeHead(200, { 'docker-content-digest': `sha256:${'a'.repeat(64)}` }).end(MANIFEST),
    'verification',
    /but the manifest has/,
  ],
  ['has no such tag', (_, response) => response.writeHead(404).end(), 'network', /answered 404/],
  [
    'requires a password',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    'network',
    /login/,
  ],
  [
    'names a file as its token server',
    (_, response) => response.writeHead(401, { 'www-authenticate': 'Bearer realm="file:///etc/passwd"' }).end(),
    'network',
    /login/,
  ],
  [
    'sends an endless manifest',
    (_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(1 << 20)));
        response.once('drain', more);
      };
      more();
    },
    'network',
    /4 MiB/,
  ],
  ['closes the connection', (request) => request.socket.destroy(), 'network', /does not answer/],
])('fails for a registry that %s', async (_, misbehave, kind, message) => {
  const { directory, file, text } = distributions();
  answer = misbehave;
  await expect(pinImages({ directory })).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('changes no file if one tag fails', async () => {
  const { directory, file, text } = distributions('99x');
  await expect(pinImages({ directory })).rejects.toMatchObject({ kind: 'network' });
  expect(readFileSync(file, 'utf8')).toBe(text);
});

test('tells whether a registry answers', async () => {
  expect(await registryAnswers(host)).toBe(true);
  expect(await registryAnswers('127.0.0.1:1')).toBe(false);
  answer = (_, response) => response.writeHead(502).end();
  expect(await registryAnswers(host)).toBe(false);
});

test('parses image references', () => {
  expect(parseImageName('docker.io/library/debian:12')).toEqual({
    registry: 'docker.io',
    repository: 'library/debian',
    tag: '12',
    digest: undefined,
  });
  expect(parseImageName(`localhost:5000/a:b@${DIGEST}`)).toMatchObject({ registry: 'localhost:5000', digest: DIGEST });
  for (const text of ['debian', 'debian:12', 'docker.io/library/debian'])
    expect(() => parseImageName(text)).toThrow(/TAG/);
});
