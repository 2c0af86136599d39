import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect } from '../../src/archive/chunks.ts';
import { writeTar } from '../../src/archive/tar.ts';
import { readTar } from '../../src/archive/tar-reader.ts';
import { gzipSmall } from '../../src/compress/codecs/gzip.ts';
import { compress, decompress } from '../../src/compress/compress.ts';
import { detectCodec, parseCompression } from '../../src/model/compression.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const all = async (chunks: AsyncIterable<Uint8Array>) =>
  Buffer.from(await collect(chunks, 1 << 28, () => new Error('too much')));

/** Text, zeros and noise; larger than a block of any codec. */
function sample(): Buffer {
  const bytes = Buffer.alloc(3_000_000, 'the quick brown fox ');
  for (let index = 0, state = 7; index < 400_000; index++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[1_000_000 + index] = state >> 16;
  }
  return bytes.fill(0, 2_000_000, 2_300_000);
}

const TOOLS = [
  { codec: 'gzip', tool: 'gzip' },
  { codec: 'xz', tool: 'xz' },
  { codec: 'zstd', tool: 'zstd' },
] as const;

describe.each(TOOLS)('$tool', ({ codec, tool }) => {
  const missing = !hasTool(tool);

  test.skipIf(missing)('reads our output without errors', async () => {
    const packed = await all(compress([sample()], { codec, level: 3 }));
    const { stdout, stderr } = spawnSync(tool, ['-dc'], { input: packed, maxBuffer: 1 << 28 });
    expect(String(stderr)).toBe('');
    expect(stdout.equals(sample())).toBe(true);
  });

  test.skipIf(missing).each(['-1', '-9', ...(tool === 'zstd' ? ['-19', '--no-check', '--long=27'] : [])])(
    'output of %s can be read',
    async (flag) => {
      const { stdout } = spawnSync(tool, [flag, '-c'], { input: sample(), maxBuffer: 1 << 28 });
      expect(detectCodec(stdout.subarray(0, 6))).toBe(codec);
      expect((await all(decompress([stdout], codec))).equals(sample())).toBe(true);
    },
  );
});

test.skipIf(!hasTool('zstd'))('zstd frames have a checksum that zstd verifies', async () => {
  const packed = await all(compress([sample()], parseCompression('zstd:3')));
  expect(spawnSync('zstd', ['-t', '-q'], { input: packed }).status).toBe(0);
  const last = packed.length - 1;
  packed[last] = (packed[last] ?? 0) ^ 1;
  expect(String(spawnSync('zstd', ['-t'], { input: packed }).stderr)).toContain('checksum');
});

test.skipIf(!hasTool('gzip'))("gzipSmall makes a file with gzip -9n's header", () => {
  const text = Buffer.from('kubelet (1.36.4-1) stable; urgency=medium\n'.repeat(50));
  const theirs = execFileSync('gzip', ['-9nc'], { input: text });
  const ours = Buffer.from(gzipSmall(text));
  expect(ours.subarray(0, 10)).toEqual(theirs.subarray(0, 10));
  expect(execFileSync('gzip', ['-dc'], { input: ours }).equals(text)).toBe(true);
});

describe.skipIf(!hasTool('tar'))('tar', () => {
  const long = `${'directory/'.repeat(30)}name`;

  test('lists our output', async () => {
    const base = { mode: 0o4755, owner: 'kube', group: 'www-data', mtime: 1_700_000_000 };
    const archive = await all(
      writeTar([
        { ...base, kind: 'directory', path: './usr/', mode: 0o755 },
        { ...base, kind: 'file', path: `./${long}`, size: 4, content: [Buffer.from('text')] },
        { ...base, kind: 'symlink', path: './link', target: long, mode: 0o777 },
      ]),
    );
    const listing = execFileSync('tar', ['-tv', '--full-time', '--utc'], { input: archive, encoding: 'utf8' });
    expect(
      listing
        .trim()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      'drwxr-xr-x kube/www-data 0 2023-11-14 22:13:20 ./usr/',
      `-rwsr-xr-x kube/www-data 4 2023-11-14 22:13:20 ./${long}`,
      `lrwxrwxrwx kube/www-data 0 2023-11-14 22:13:20 ./link -> ${long}`,
    ]);
  });

  test.each(['gnu', 'ustar', 'v7'])('archives in the %s format can be read', async (format) => {
    const directory = temporaryDirectory();
    // Longest names of each format: GNU any, ustar 155 and 100 bytes, v7 100.
    const path =
      { gnu: `a/${'n'.repeat(150)}`, ustar: `a/${'n'.repeat(60)}/${'m'.repeat(90)}`, v7: 'a/n' }[format] ?? '';
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), 'text');
    symlinkSync('target', join(directory, 'a', 'link'));
    const flags = [
      '-c',
      `--format=${format}`,
      '--sort=name',
      '--owner=root:0',
      '--group=root:0',
      '--mtime=@5',
      '-C',
      directory,
      'a',
    ];
    const archive = execFileSync('tar', flags);
    const read: string[] = [];
    for await (const member of readTar([archive])) {
      const text =
        member.kind === 'file' ? String(await all(member.content)) : member.kind === 'symlink' ? member.target : '';
      read.push(`${member.kind} ${member.path} ${member.owner} ${member.mtime} ${text}`.trim());
    }
    expect(read).toContain('directory a root 5');
    expect(read).toContain(`file ${path} root 5 text`);
    expect(read).toContain('symlink a/link root 5 target');
  });

  test.skipIf(!hasTool('truncate'))('sizes of more than 8 GiB can be read', async () => {
    const directory = temporaryDirectory();
    execFileSync('truncate', ['-s', '9G', join(directory, 'big')]);
    // Reads only the header, not the 9 GiB of zeros.
    const header = spawnSync('sh', ['-c', 'tar -c --format=gnu -C "$1" big | head -c 512', 'sh', directory]).stdout;
    const reader = readTar([header]);
    expect((await reader.next()).value).toMatchObject({ path: 'big', size: 9 * 2 ** 30 });
    await reader.return();
  });
});
