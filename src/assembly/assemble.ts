import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type TarEntry, writeTar } from '../archive/tar.ts';
import type { Container, ExecResult } from '../container/engine.ts';
import { type Difference, diffLayouts } from '../layout/diff.ts';
import type { WriteOptions } from '../layout/packager.ts';
import { type TreeItem, verifiedContent } from '../layout/tree.ts';
import { contentSize } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import { binaryTree, packCommand } from '../pipeline/binary-layout.ts';
import { PACKAGERS } from '../pipeline/formats.ts';
import { readPackage } from '../pipeline/read-package.ts';
import type { PackageJob } from '../pipeline/run.ts';
import { KubeparcelError } from '../support/errors.ts';

/** nobody, by number: the engine would look up a name in the image, which may not have it. */
const USER = '65534:65534';
const WORK = '/var/tmp';

/**
 * Builds a package with dpkg-deb or rpmbuild in a container, as an unprivileged user, from the tree that `kubeparcel
 * layout` writes. The same user unpacks the tree from an archive and therefore owns the files, which have the modes of the
 * layout. The result is compared with the layout.
 *
 * @returns the bytes of the package
 * @throws KubeparcelError of kind 'format' if the tool rejects the layout, or its package differs from the layout
 */
export async function* assembleIn(
  container: Container,
  { task, layout }: PackageJob,
  writing: WriteOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { objects, spoolDirectory, compression, signal } = writing;
  const temporary = await mkdtemp(join(spoolDirectory, `${layout.name}.`));
  const options = { user: USER, timeout: COMMAND_TIMEOUT, signal };
  const directory = `${WORK}/${task.file.replace(/\.(deb|rpm)$/, '')}`;
  const archive = `${task.file}.tar`;
  try {
    const tree = await binaryTree(layout, objects);
    await pipeline(
      Readable.from(writeTar(tree.map((item) => tarEntry(item, writing)))),
      createWriteStream(join(temporary, archive), { mode: 0o644 }),
      ...(signal === undefined ? [] : [{ signal }]),
    );
    await container.copyIn(join(temporary, archive), WORK);
    await requireSuccess(container.exec(['mkdir', '--mode=0755', directory], options), task.file);
    const unpack = ['tar', '--extract', '--preserve-permissions', '--no-same-owner', '--directory', directory];
    await requireSuccess(container.exec([...unpack, '--file', `${WORK}/${archive}`], options), task.file);
    const { command, result } = packCommand(layout, compression, { directory, file: task.file });
    const environment = { HOME: WORK, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    await requireSuccess(container.exec(command, { ...options, environment }), task.file);
    const path = join(temporary, basename(result));
    await container.copyOut(result, temporary);
    await requireEqual(layout, path, writing);
    yield* createReadStream(path);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    // Frees space for the next packages. If this fails, the container has ended.
    await container.exec(['rm', '-rf', directory, `${directory}.deb`, `${WORK}/${archive}`]).catch(() => {});
  }
}

/** Milliseconds. A kubelet with xz -9 takes minutes on a slow machine. */
const COMMAND_TIMEOUT = 3_600_000;

function tarEntry(item: TreeItem, { objects, onBytes }: WriteOptions): TarEntry {
  const base = { path: `./${item.path}`, mtime: item.mtime, owner: 'root', group: 'root' };
  if (item.kind === 'symlink') return { ...base, kind: 'symlink', mode: 0o777, target: item.target };
  if (item.kind === 'directory') return { ...base, kind: 'directory', mode: item.mode };
  const content = counted(verifiedContent(item.content, objects), onBytes);
  return { ...base, kind: 'file', mode: item.mode, size: contentSize(item.content), content };
}

async function* counted(chunks: AsyncIterable<Uint8Array>, onBytes: WriteOptions['onBytes']) {
  for await (const chunk of chunks) {
    onBytes?.(chunk.length);
    yield chunk;
  }
}

async function requireSuccess(running: Promise<ExecResult>, file: string): Promise<void> {
  const { command, status, stdout, stderr } = await running;
  if (status === 0) return;
  const tool = command.find((word) => ['dpkg-deb', 'rpmbuild'].includes(word)) ?? command[0];
  const output = `${stdout}\n${stderr}`.trim().split('\n').slice(-LINES_SHOWN).join('\n  ');
  throw new KubeparcelError('format', `${tool} failed with status ${status}: ${output}`, {
    where: file,
    hint: 'build without --assemble container, or fix packaging/ or templates/ as the message says',
  });
}

const LINES_SHOWN = 8;
const DIFFERENCES_SHOWN = 5;

/** Reads the package and the native writer's package of the same layout, and compares them. */
async function requireEqual(
  layout: Layout,
  path: string,
  { objects, spoolDirectory, signal }: WriteOptions,
): Promise<void> {
  const compression = { codec: 'none', level: 0 } as const;
  const native = `${path}.native`;
  const chunks = PACKAGERS[layout.format].write(layout, { compression, objects, spoolDirectory, signal });
  await pipeline(Readable.from(chunks), createWriteStream(native));
  const [expected, built] = [await readPackage(native, { signal }), await readPackage(path, { signal })];
  const differences = diffLayouts(expected.layout, built.layout);
  if (differences.length === 0) return;
  const shown = differences.slice(0, DIFFERENCES_SHOWN).map(describe);
  const more = differences.length > shown.length ? [`and ${differences.length - shown.length} more`] : [];
  throw new KubeparcelError('format', `the package of the container differs: ${[...shown, ...more].join('; ')}`, {
    where: basename(path),
    hint: 'build without --assemble container, and report this bug: both packages must be the same',
  });
}

function describe({ what, left, right }: Difference): string {
  return `${what} is ${shorten(right)} instead of ${shorten(left)}`;
}

function shorten(text: string | undefined): string {
  if (text === undefined) return 'missing';
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}
