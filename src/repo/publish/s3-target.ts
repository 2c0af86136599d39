import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { entityTag, md5, partsOf, readPart, withFile } from '../storage/file-digest.ts';
import {
  aborted,
  attempt,
  listObjects,
  openStorage,
  plainTag,
  type S3Location,
  type Storage,
} from '../storage/s3-storage.ts';
import type { Upload } from './plan.ts';
import type { PublishContext, PublishTarget } from './target.ts';

/** S3 wants parts of 5 MiB at least and 10,000 at most; this bounds memory to AT_A_TIME of them. */
const PART_SIZE = 16 << 20;
const AT_A_TIME = 4;
const DELETE_AT_ONCE = 1000;

/**
 * S3-compatible storage. Credentials are where Amazon's own tools look for them (environment, ~/.aws, the machine's
 * role). An object whose entity tag says that it is the file is left alone; a file that is sent in parts goes on where
 * an interrupted upload of it ended.
 */
export function s3Target(location: S3Location): PublishTarget {
  const storage = openStorage(location);
  const { name, client, keyOf } = storage;
  let unfinished: ReadonlyMap<string, string> | undefined;
  return {
    name,
    mode: 'plain',
    async compare(files, { directory, signal }) {
      const remote = await attempt(name, () => listObjects(storage, signal));
      const sizes = new Map(remote.map(({ path, size }) => [path, size]));
      const limit = pLimit(AT_A_TIME);
      const local = await Promise.all(
        files.map((file) =>
          limit(async () => {
            signal?.throwIfAborted();
            const worth = sizes.get(file.path) === file.size;
            const digest = worth ? await entityTag(join(directory, file.path), file.size, PART_SIZE) : undefined;
            return { ...file, digest };
          }),
        ),
      );
      return { local, remote };
    },
    async present({ signal }) {
      return new Set((await attempt(name, () => listObjects(storage, signal))).map(({ path }) => path));
    },
    async upload(uploads, context) {
      unfinished ??= await attempt(name, () => unfinishedUploads(storage, context.signal));
      const ids = unfinished;
      const limit = pLimit(AT_A_TIME);
      await Promise.all(
        uploads.map((upload) =>
          limit(async () => {
            context.signal?.throwIfAborted();
            const key = keyOf(upload.path);
            await attempt(`${name}/${upload.path}`, () => send(storage, upload, ids.get(key), context));
            context.onEvent({ type: 'uploaded', upload });
          }),
        ),
      );
    },
    remove: (paths, context) => attempt(name, () => deleteObjects(storage, paths, context)),
    close: () => Promise.resolve(client.destroy()),
  };
}

/** Ids of the newest unfinished upload by key; storages that do not list them have none to go on with. */
async function unfinishedUploads(
  { client, bucket, keyOf }: Storage,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const uploads = new Map<string, string>();
  const page = await client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: keyOf('') }),
    aborted(signal),
  );
  for (const { Key: key, UploadId: id } of page.Uploads ?? []) {
    if (key !== undefined && id !== undefined) uploads.set(key, id);
  }
  return uploads;
}

async function send(
  { client, bucket, keyOf }: Storage,
  upload: Upload,
  unfinished: string | undefined,
  { directory, signal }: PublishContext,
): Promise<void> {
  const path = join(directory, upload.path);
  const address = { Bucket: bucket, Key: keyOf(upload.path) };
  const headers = { CacheControl: upload.cacheControl, ContentType: upload.contentType };
  const parts = partsOf(upload.size, PART_SIZE);
  await withFile(path, async (file) => {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) {
      const body = await readPart(file, only, path);
      const sum = { ContentMD5: md5(body).toString('base64'), ContentLength: body.length };
      await client.send(new PutObjectCommand({ ...address, ...headers, ...sum, Body: body }), aborted(signal));
      return;
    }
    const id =
      unfinished ??
      (await client.send(new CreateMultipartUploadCommand({ ...address, ...headers }), aborted(signal))).UploadId;
    if (id === undefined) throw new Error('the storage gave the upload no id');
    const there = unfinished === undefined ? new Map<number, string>() : await sentParts(client, address, id, signal);
    const done: { PartNumber: number; ETag: string }[] = [];
    for (const part of parts) {
      const body = await readPart(file, part, path);
      const sum = md5(body);
      let tag = there.get(part.number);
      if (plainTag(tag) !== sum.toString('hex')) {
        const request = { ...address, UploadId: id, PartNumber: part.number, ContentMD5: sum.toString('base64') };
        const sent = await client.send(
          new UploadPartCommand({ ...request, Body: body, ContentLength: body.length }),
          aborted(signal),
        );
        tag = sent.ETag;
      }
      done.push({ PartNumber: part.number, ETag: tag ?? '' });
    }
    const completed = { ...address, UploadId: id, MultipartUpload: { Parts: done } };
    await client.send(new CompleteMultipartUploadCommand(completed), aborted(signal));
  });
}

async function sentParts(
  client: S3Client,
  address: { readonly Bucket: string; readonly Key: string },
  id: string,
  signal: AbortSignal | undefined,
): Promise<Map<number, string>> {
  const tags = new Map<number, string>();
  for (let marker: string | undefined, more = true; more; ) {
    const page = await client.send(
      new ListPartsCommand({ ...address, UploadId: id, PartNumberMarker: marker }),
      aborted(signal),
    );
    for (const { PartNumber: number, ETag: tag } of page.Parts ?? []) {
      if (number !== undefined && tag !== undefined) tags.set(number, tag);
    }
    marker = page.NextPartNumberMarker;
    more = page.IsTruncated === true && marker !== undefined;
  }
  return tags;
}

async function deleteObjects(
  { client, bucket, keyOf }: Storage,
  paths: readonly string[],
  { signal, onEvent }: PublishContext,
): Promise<void> {
  for (let at = 0; at < paths.length; at += DELETE_AT_ONCE) {
    const some = paths.slice(at, at + DELETE_AT_ONCE);
    const objects = some.map((path) => ({ Key: keyOf(path) }));
    const { Errors: errors = [] } = await client.send(
      new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects, Quiet: true } }),
      aborted(signal),
    );
    const [first] = errors;
    if (first !== undefined) throw Object.assign(new Error(first.Message ?? ''), { name: first.Code ?? 'Unknown' });
    for (const path of some) onEvent({ type: 'deleted', path });
  }
}
