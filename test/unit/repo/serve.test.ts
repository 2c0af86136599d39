import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { rangeOf, serveRepository } from '../../../src/repo/serve/serve.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

let url: string;

/** Sends the path unchanged; fetch() would normalize it. */
function get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    request({ hostname, port, path, headers, method, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    })
      .on('error', reject)
      .end();
  });
}

beforeEach(async () => {
  const temp = temporaryDirectory();
  const root = join(temp, 'repo');
  mkdirSync(join(root, 'core:', 'stable:', '.repodata-1'), { recursive: true });
  mkdirSync(join(root, '.kubeparcel'));
  writeFileSync(join(root, '.kubeparcel', 'state.json'), '{}');
  writeFileSync(join(root, 'a&b <i>.deb'), '0123456789');
  writeFileSync(join(root, 'empty'), '');
  writeFileSync(join(root, 'core:', 'stable:', '.repodata-1', 'repomd.xml'), '<repomd/>');
  symlinkSync('.repodata-1', join(root, 'core:', 'stable:', 'repodata'));
  writeFileSync(join(temp, 'secret'), 'secret');
  mkdirSync(join(temp, 'repo-beside'));
  writeFileSync(join(temp, 'repo-beside', 'secret'), 'secret');
  symlinkSync('../secret', join(root, 'out'));
  symlinkSync('../repo-beside', join(root, 'beside'));
  const server = await serveRepository(root, { port: 0, host: '127.0.0.1' });
  onTestFinished(() => server.close());
  url = server.url;
});

describe('serve', () => {
  test('files are served with their MIME type; symbolic links inside the repository are followed', async () => {
    expect(await get('/a%26b%20%3Ci%3E.deb')).toMatchObject({ status: 200, body: '0123456789' });
    expect((await get('/a%26b%20%3Ci%3E.deb')).headers).toMatchObject({
      'content-type': 'application/vnd.debian.binary-package',
      'content-length': '10',
    });
    expect(await get('/core:/stable:/repodata/repomd.xml')).toMatchObject({ status: 200, body: '<repomd/>' });
    expect(await get('/core%3A/stable%3A/repodata/repomd.xml?x=1')).toMatchObject({ status: 200 });
    expect(await get('/empty')).toMatchObject({ status: 200, body: '' });
    expect(await get('/a%26b%20%3Ci%3E.deb', {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test.each([
    '/../secret',
    '/..%2fsecret',
    '/%2e%2e/secret',
    '/core:/../../secret',
    '/out',
    '/beside/secret',
    '/beside/',
    '/.kubeparcel/state.json',
    '/core:/stable:/.repodata-1/repomd.xml',
    '//etc/passwd',
    '/%00',
    '/%zz',
    '/missing',
    'http://127.0.0.1/empty',
  ])('%s is not found', async (path) => {
    const { status, body } = await get(path);
    expect([status, body]).toEqual([404, '404\n']);
  });

  test('range requests, as apt uses them to resume downloads', async () => {
    const path = '/a%26b%20%3Ci%3E.deb';
    const whole = await get(path);
    const modified = String(whole.headers['last-modified']);
    expect(await get(path, { range: 'bytes=4-' })).toMatchObject({
      status: 206,
      body: '456789',
      headers: { 'content-range': 'bytes 4-9/10', 'content-length': '6' },
    });
    expect(await get(path, { range: 'bytes=4-', 'if-range': modified })).toMatchObject({ status: 206 });
    expect(await get(path, { range: 'bytes=4-', 'if-range': new Date(0).toUTCString() })).toMatchObject({
      status: 200,
    });
    expect(await get(path, { range: 'bytes=10-' })).toMatchObject({ status: 416 });
    expect(await get(path, { 'if-modified-since': modified })).toMatchObject({ status: 304, body: '' });
  });

  test('listings escape names and omit hidden files; other methods are refused', async () => {
    expect(await get('/core:')).toMatchObject({ status: 301, headers: { location: '/core%3A/' } });
    const { body } = await get('/');
    expect(body).toContain('<a href="./a%26b%20%3Ci%3E.deb">a&amp;b &lt;i&gt;.deb</a>');
    expect(body).toContain('<a href="./core%3A/">core:/</a>');
    expect(body).not.toContain('.kubeparcel');
    expect((await get('/core:/stable:/')).body).toContain('"./repodata/"');
    expect(await get('/', {}, 'DELETE')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });
});

test.each([
  ['bytes=0-0', 10, { start: 0, end: 0 }],
  ['bytes=5-100', 10, { start: 5, end: 9 }],
  ['bytes=-3', 10, { start: 7, end: 9 }],
  ['bytes=-30', 10, { start: 0, end: 9 }],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=5-4', 10, undefined],
  ['bytes=0-1,3-4', 10, undefined],
  ['lines=1-2', 10, undefined],
  ['bytes=-', 10, undefined],
])('range %s of %d bytes', (header, size, expected) => expect(rangeOf(header, size)).toEqual(expected));

test.each([65_536, -1, 1.5, Number.NaN])('port %d is refused', async (port) => {
  await expect(serveRepository('/', { port, host: '127.0.0.1' })).rejects.toMatchObject({ kind: 'usage' });
});
