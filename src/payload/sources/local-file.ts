import { type FileHandle, open } from 'node:fs/promises';
import type { Sink, SourceContext } from '../../release/source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { fileAccess, type RandomAccess, streamRange } from '../store/random-access.ts';

interface LocalFile {
  readonly file: FileHandle;
  readonly bytes: RandomAccess;
}

/** Opens a regular file for reading; undefined when it does not exist. */
export async function openLocal(path: string): Promise<LocalFile | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return undefined;
    throw new KubeparcelError('io', 'cannot read the file', { where: path, cause });
  }
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new KubeparcelError('io', 'not a regular file', { where: path });
  }
  return { file, bytes: fileAccess(file, stat.size) };
}

/**
 * Reads a small text file; undefined when it does not exist.
 *
 * @param limit bytes
 */
export async function readLocalText(path: string, limit: number): Promise<string | undefined> {
  const opened = await openLocal(path);
  if (opened === undefined) return undefined;
  try {
    if (opened.bytes.size > limit) {
      throw new KubeparcelError('config', `the file has ${opened.bytes.size} bytes, more than ${limit}`, {
        where: path,
      });
    }
    return (await opened.bytes.read(0, opened.bytes.size)).toString('utf8');
  } finally {
    await opened.file.close();
  }
}

/** Streams a local file into a sink and closes the file. */
export async function transferLocal({ file, bytes }: LocalFile, sink: Sink, context: SourceContext): Promise<void> {
  try {
    await copyToSink(bytes, 0, bytes.size, sink, context);
  } finally {
    await file.close();
  }
}

/** Streams a part of a local file into a sink. */
export async function copyToSink(
  bytes: RandomAccess,
  offset: number,
  length: number,
  sink: Sink,
  { signal }: SourceContext,
): Promise<void> {
  await sink.restart();
  for await (const chunk of streamRange(bytes, offset, length)) {
    signal?.throwIfAborted();
    await sink.append(chunk);
  }
}
