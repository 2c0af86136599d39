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

/** nobody, by number: engines look names up in the image, where they can be missing. */
const USER = '65534:65534';
const WORK = '/var/tmp';

/**
 * A package made by dpkg-deb or rpmbuild in a container, of the tree that `kubeparcel layout` writes, by a user without
 * privileges. The tree goes in as an archive, which that user unpacks: so its files are the user's own, with the modes
 * that the layout states. What comes back is read and held against the layout.
 *
 * @returns the package's bytes
 * @throws KubeparcelError of kind 'format' when the tool refuses the layout, or makes a package that differs from it
 */
export async function* assembleIn(
  container: Container,
  { task, layout }: PackageJob,
  writing: WriteOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { objects, spoolDirectory, compression, signal } = writing;
  const own = await mkdtemp(join(spoolDirectory, `${layout.name}.`));
  const options = { user: USER, timeout: HOUR, ...(signal === undefined ? {} : { signal }) };
  const directory = `${WORK}/${task.file.replace(/\.(deb|rpm)$/, '')}`;
  const archive = `${task.file}.tar`;
  try {
    const tree = await binaryTree(layout, objects);
    await pipeline(
      Readable.from(writeTar(tree.map((item) => tarEntry(item, writing)))),
      createWriteStream(join(own, archive), { mode: 0o644 }),
      ...(signal === undefined ? [] : [{ signal }]),
    );
    await container.copyIn(join(own, archive), WORK);
    await succeed(container.exec(['mkdir', '--mode=0755', directory], options), task.file);
    const unpack = ['tar', '--extract', '--preserve-permissions', '--no-same-owner', '--directory', directory];
    await succeed(container.exec([...unpack, '--file', `${WORK}/${archive}`], options), task.file);
    const { command, result } = packCommand(layout, compression, { directory, file: task.file });
    const environment = { HOME: WORK, LC_ALL: 'C.UTF-8', TZ: 'UTC' };
    await succeed(container.exec(command, { ...options, environment }), task.file);
    const path = join(own, basename(result));
    await container.copyOut(result, own);
    await expectEqual(layout, path, writing);
    yield* createReadStream(path);
  } finally {
    await rm(own, { recursive: true, force: true });
    // The next packages need the room. Where this fails the container is gone, or is about to be.
    await container.exec(['rm', '-rf', directory, `${directory}.deb`, `${WORK}/${archive}`]).catch(() => {});
  }
}

/** Milliseconds. A kubelet with xz -9 on a slow machine takes minutes. */
const HOUR = 3_600_000;

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

async function succeed(running: Promise<ExecResult>, file: string): Promise<void> {
  const { command, status, stdout, stderr } = await running;
  if (status === 0) return;
  const tool = command.find((word) => ['dpkg-deb', 'rpmbuild'].includes(word)) ?? command[0];
  const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-LINES_SHOWN).join('\n  ');
  throw new KubeparcelError('format', `${tool} failed with status ${status}: ${said}`, {
    where: file,
    hint: 'build it without --assemble container, or mend what the tool names in packaging/ or templates/',
  });
}

/** Of a tool's output; the reason stands at its end. */
const LINES_SHOWN = 8;
const DIFFERENCES_SHOWN = 5;

/** Held against the package that the native writer makes, as both are read back. */
async function expectEqual(
  layout: Layout,
  path: string,
  { objects, spoolDirectory, signal }: WriteOptions,
): Promise<void> {
  const reading = signal === undefined ? {} : { signal };
  const compression = { codec: 'none', level: 0 } as const;
  const native = `${path}.native`;
  const chunks = PACKAGERS[layout.format].write(layout, { compression, objects, spoolDirectory, ...reading });
  await pipeline(Readable.from(chunks), createWriteStream(native));
  const [wanted, built] = [await readPackage(native, reading), await readPackage(path, reading)];
  const differences = diffLayouts(wanted.layout, built.layout);
  if (differences.length === 0) return;
  const shown = differences.slice(0, DIFFERENCES_SHOWN).map(describe);
  const more = differences.length > shown.length ? [`and ${differences.length - shown.length} more`] : [];
  throw new KubeparcelError('format', `what the container made differs: ${[...shown, ...more].join('; ')}`, {
    where: basename(path),
    hint: 'build it without --assemble container, and report this: both must be the same package',
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
