import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CpioMember, writeCpio } from '../../../src/archive/cpio.ts';
import {
  encodeHeader,
  type HeaderEntry,
  type HeaderValue,
  int16,
  int32,
  string,
  stringArray,
} from '../../../src/rpm/header.ts';
import { encodeLead } from '../../../src/rpm/lead.ts';
import { readRpm } from '../../../src/rpm/read.ts';
import { signatureHeader } from '../../../src/rpm/signature-header.ts';
import { TAGS } from '../../../src/rpm/tags.ts';
import { pack, sha256 } from '../../support/rpm.ts';
import { sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const IDENTITY = { name: 'p', version: { epoch: 0, upstream: '1', revision: '1' }, architecture: 'x86_64' };
const hex = (algorithm: string, ...parts: Uint8Array[]) => {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

interface Member {
  readonly name: string;
  readonly content: string;
  readonly mode?: number;
  readonly index?: number;
}

async function archiveOf(members: readonly Member[], stripped = false): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const written = members.map(
    ({ name, content, mode, index }, i): CpioMember => ({
      header: { name, mode: mode ?? 0o100644, mtime: 1, inode: i + 1 },
      index: index ?? i,
      size: Buffer.byteLength(content),
      content: [Buffer.from(content)],
    }),
  );
  for await (const chunk of writeCpio(written, { stripped })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A package of two files, /d/a with `A` and /d/b with `BB`; its digests match whatever is changed in the header. */
function craft(
  changes: Readonly<Record<number, HeaderValue | undefined>>,
  payload: Uint8Array,
  lead = encodeLead(IDENTITY),
) {
  const entries: Record<number, HeaderValue | undefined> = {
    [TAGS.NAME]: string('p'),
    [TAGS.VERSION]: string('1'),
    [TAGS.RELEASE]: string('1'),
    [TAGS.ARCH]: string('x86_64'),
    [TAGS.SOURCERPM]: string('p-1-1.src.rpm'),
    [TAGS.PAYLOADFORMAT]: string('cpio'),
    [TAGS.FILEDIGESTALGO]: int32([8]),
    [TAGS.FILESIZES]: int32([1, 2]),
    [TAGS.FILEMODES]: int16([0o100644, 0o100644]),
    [TAGS.FILEMTIMES]: int32([1, 1]),
    [TAGS.FILEDIGESTS]: stringArray([sha256(Buffer.from('A')), sha256(Buffer.from('BB'))]),
    [TAGS.FILELINKTOS]: stringArray(['', '']),
    [TAGS.FILEFLAGS]: int32([0, 0]),
    [TAGS.FILEUSERNAME]: stringArray(['root', 'root']),
    [TAGS.FILEGROUPNAME]: stringArray(['root', 'root']),
    [TAGS.FILEDEVICES]: int32([1, 1]),
    [TAGS.FILEINODES]: int32([1, 2]),
    [TAGS.DIRINDEXES]: int32([0, 0]),
    [TAGS.BASENAMES]: stringArray(['a', 'b']),
    [TAGS.DIRNAMES]: stringArray(['/d/']),
    [TAGS.PAYLOADDIGEST]: stringArray([sha256(payload)]),
    ...changes,
  };
  const stated = Object.entries(entries).flatMap(([tag, value]): HeaderEntry[] =>
    value === undefined ? [] : [[Number(tag), value]],
  );
  const header = encodeHeader('immutable', stated);
  const facts = {
    sha1: hex('sha1', header),
    sha256: hex('sha256', header),
    md5: hex('md5', header, payload),
    size: header.length + payload.length,
    archiveSize: payload.length,
  };
  return Buffer.concat([lead, signatureHeader(facts, []), header, payload]);
}

async function read(bytes: Uint8Array) {
  const path = join(temporaryDirectory(), 'p.rpm');
  writeFileSync(path, bytes);
  return readRpm(path);
}

const A = { name: './d/a', content: 'A' };
const B = { name: './d/b', content: 'BB' };
const SAME = {
  [TAGS.FILESIZES]: int32([2, 2]),
  [TAGS.FILEINODES]: int32([7, 7]),
  [TAGS.FILEDIGESTS]: stringArray([sha256(Buffer.from('BB')), sha256(Buffer.from('BB'))]),
};

describe('the RPM reader', () => {
  test.each([
    ['in any order', [B, A], {}],
    [
      'without the prefix ./, as in old packages',
      [
        { ...A, name: 'd/a' },
        { ...B, name: '/d/b' },
      ],
      {},
    ],
    ['that are hard links, the content at the last', [{ ...A, content: '' }, B], SAME],
    [
      'that are hard links, the content at the first',
      [
        { ...A, content: 'BB' },
        { ...B, content: '' },
      ],
      SAME,
    ],
    [
      'named as before rpm 3.0.4',
      [A, B],
      { [TAGS.BASENAMES]: undefined, [TAGS.OLDFILENAMES]: stringArray(['/d/a', '/d/b']) },
    ],
  ])('takes files %s', async (_, members, changes) => {
    const { layout } = await read(craft(changes, await archiveOf(members)));
    const first = changes === SAME ? 'BB' : 'A';
    expect(layout.entries).toMatchObject([
      { path: '/d/a', content: { sha256: sha256(Buffer.from(first)) } },
      { path: '/d/b', content: { sha256: sha256(Buffer.from('BB')) } },
    ]);
  });

  test('reads stripped headers, also of hard links', async () => {
    const plain = await read(
      craft(
        {},
        await archiveOf(
          [B, A].map((one, i) => ({ ...one, index: 1 - i })),
          true,
        ),
      ),
    );
    expect(plain.layout.entries).toMatchObject([{ content: { size: 1 } }, { content: { size: 2 } }]);
    const linked = await read(craft(SAME, await archiveOf([{ ...A, content: '' }, B], true)));
    expect(linked.layout.entries).toMatchObject([{ content: { size: 2 } }, { content: { size: 2 } }]);
  });

  test('keeps the text of a rich dependency that is not a list of alternatives', async () => {
    const names = ['(a >= 1 or b)', '(a and b)', '(a or b and c)', '((a or b) or c)', '(a  or b)', '(a)', '(a or b'];
    const changes = {
      [TAGS.REQUIRENAME]: stringArray(names),
      [TAGS.REQUIREVERSION]: stringArray(names.map(() => '')),
      [TAGS.REQUIREFLAGS]: int32(names.map(() => 0)),
    };
    const { layout } = await read(craft(changes, await archiveOf([A, B])));
    const kept = layout.relations.depends.filter(({ anyOf }) => anyOf.length === 1).map(({ anyOf }) => anyOf[0]?.name);
    expect(kept).toEqual(names.slice(1).sort());
    expect(layout.relations.depends).toContainEqual({
      anyOf: [{ name: 'a', constraint: { operator: '>=', version: '1' } }, { name: 'b' }],
    });
  });

  test.each<[string, Readonly<Record<number, HeaderValue | undefined>>, readonly Member[], RegExp]>([
    ['a path with ..', { [TAGS.DIRNAMES]: stringArray(['/d/../']) }, [A, B], /path "\/d\/\.\.\/a"/],
    ['a relative path', { [TAGS.DIRNAMES]: stringArray(['d/']) }, [A, B], /invalid path "d\/a"/],
    ['a slash in a base name', { [TAGS.BASENAMES]: stringArray(['../a', 'b']) }, [A, B], /has no valid directory/],
    ['an unknown directory index', { [TAGS.DIRINDEXES]: int32([0, 9]) }, [A, B], /has no valid directory/],
    ['fewer sizes than files', { [TAGS.FILESIZES]: int32([1]) }, [A, B], /2 files, but 1 sizes/],
    ['no owners', { [TAGS.FILEUSERNAME]: undefined }, [A, B], /2 files, but 0 owners/],
    ['a device', { [TAGS.FILEMODES]: int16([0o020644, 0o100644]) }, [A, B], /device/],
    ['a file twice', { [TAGS.BASENAMES]: stringArray(['a', 'a']) }, [A, B], /a file is listed twice/],
    ['numbers for names', { [TAGS.BASENAMES]: int32([1, 2]) }, [A, B], /not a string for tag 1117/],
    ['names for numbers', { [TAGS.FILESIZES]: stringArray(['1', '2']) }, [A, B], /not a number for tag 1028/],
    ['unknown file digests', { [TAGS.FILEDIGESTALGO]: int32([99]) }, [A, B], /unknown algorithm 99/],
    ['an unknown payload digest', { [TAGS.PAYLOADDIGESTALGO]: int32([99]) }, [A, B], /unknown algorithm 99/],
    ['no name', { [TAGS.NAME]: undefined }, [A, B], /no NAME/],
    ['a name that differs from the lead', { [TAGS.NAME]: string('q') }, [A, B], /name in the lead differs/],
    [
      'an architecture that differs from the lead',
      { [TAGS.ARCH]: string('s390x') },
      [A, B],
      /architecture number in the lead .* differs/,
    ],
    ['another payload format', { [TAGS.PAYLOADFORMAT]: string('drpm') }, [A, B], /"drpm"/],
    [
      'a codec that differs from the payload',
      { [TAGS.PAYLOADCOMPRESSOR]: string('zstd') },
      [A, B],
      /not compressed with zstd/,
    ],
    ['an unlisted file', {}, [A, B, { name: './d/c', content: '' }], /"\.\/d\/c"/],
    ['a missing file', {}, [A], /\/d\/b is not in the archive/],
    ['a file twice in the archive', {}, [A, B, A], /\/d\/a twice/],
    ['a file of another size', {}, [A, { ...B, content: 'BBB' }], /3 bytes in the archive, but 2 in the header/],
    ['a file of another type', {}, [A, { ...B, mode: 0o040755 }], /another file type/],
    ['a file with other content', {}, [A, { ...B, content: 'bb' }], /does not match its sha256/],
    [
      'hard links without content',
      SAME,
      [
        { ...A, content: '' },
        { ...B, content: '' },
      ],
      /no content/,
    ],
  ])('rejects a package with %s', async (what, changes, members, message) => {
    const lead = what.startsWith('an architecture')
      ? encodeLead({ ...IDENTITY, architecture: 'aarch64' })
      : encodeLead(IDENTITY);
    await expect(read(craft(changes, await archiveOf(members), lead))).rejects.toMatchObject({
      kind: what.includes('other content') ? 'verification' : 'format',
      message: expect.stringMatching(message),
      where: expect.stringContaining('p.rpm'),
    });
  });

  test('rejects a link target that differs in the archive', async () => {
    const changes = {
      [TAGS.FILEMODES]: int16([0o120777, 0o100644]),
      [TAGS.FILELINKTOS]: stringArray(['x', '']),
      [TAGS.FILEDIGESTS]: stringArray(['', sha256(Buffer.from('BB'))]),
    };
    const link = (content: string) => ({ ...A, content, mode: 0o120777 });
    expect((await read(craft(changes, await archiveOf([link('x'), B])))).layout.entries[0]).toMatchObject({
      target: 'x',
    });
    await expect(read(craft(changes, await archiveOf([link('y'), B])))).rejects.toThrow(/another link target/);
  });

  test.each([
    ['payload', TAGS.PAYLOADDIGEST],
    ['payload, unpacked', TAGS.PAYLOADDIGESTALT],
  ])('refuses a package whose %s has another digest than stated', async (what, tag) => {
    const payload = await archiveOf([A, B]);
    await expect(read(craft({ [tag]: stringArray([sha256(payload)]) }, payload))).resolves.toBeDefined();
    await expect(read(craft({ [tag]: stringArray([sha256(Buffer.from('else'))]) }, payload))).rejects.toMatchObject({
      kind: 'verification',
      message: `the sha256 of the ${what} does not match the package`,
    });
  });

  test('rejects digests of the payload without a digest of the header', async () => {
    const bytes = craft({}, await archiveOf([A, B]));
    const sha256Tag = 96 + 16 + 2 * 16;
    expect(bytes.readUInt32BE(sha256Tag)).toBe(273);
    bytes.writeUInt32BE(272, sha256Tag);
    await expect(read(bytes)).rejects.toThrow(/no SHA-256 of the header/);
  });

  test('stops unpacking at the given limit', async () => {
    const sample = sampleLayout('rpm');
    const bytes = new Uint8Array(10 << 20);
    const entries = sample.entries.map((entry) =>
      entry.kind === 'file' && entry.role === 'plain'
        ? { ...entry, content: { kind: 'memory' as const, bytes } }
        : entry,
    );
    const path = await pack({ ...sample, entries }, temporaryDirectory(), { codec: 'zstd', level: 1 });
    await expect(readRpm(path, { maxUnpackedBytes: 1 << 20 })).rejects.toMatchObject({ kind: 'format', where: path });
    await expect(readRpm(path, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
  });

  test('rejects a file that is not a package', async () => {
    const directory = temporaryDirectory();
    await expect(readRpm(directory)).rejects.toMatchObject({ kind: 'io' });
    await expect(readRpm(join(directory, 'none.rpm'))).rejects.toMatchObject({ kind: 'io' });
    await expect(read(Buffer.from('!<arch>\n'.padEnd(200)))).rejects.toMatchObject({
      kind: 'format',
      message: expect.stringContaining('not an RPM package'),
    });
    await expect(read(Buffer.alloc(0))).rejects.toMatchObject({ kind: 'format' });
  });

  test('never allocates more than the size of the file', async () => {
    const bytes = craft({}, await archiveOf([A, B]));
    bytes.writeUInt32BE(60 << 20, 96 + 12);
    await expect(read(bytes)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('truncated') });
  });
});
