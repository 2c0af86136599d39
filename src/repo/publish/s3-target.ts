import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import type { SourceFile } from '../storage/list-files.ts';
import { entityTag, md5, partsOf, readPart, withFile } from '../storage/s3-parts.ts';
import { abortOn, type S3Location, S3Storage, unquotedTag, withS3Failure } from '../storage/s3-storage.ts';
import type { Upload } from './plan.ts';
import type { Comparison, PublishContext, PublishTarget } from './target.ts';

/** S3 requires at least 5 MiB and at most 10,000 parts. Memory use is CONCURRENCY parts. */
const PART_SIZE = 16 << 20;
const CONCURRENCY = 4;
const DELETE_BATCH = 1000;

/** S3-compatible storage. Objects with the expected entity tag are skipped; interrupted multipart uploads are resumed. */
export class S3Target implements PublishTarget {
  readonly name: string;
  readonly mode = 'plain';
  readonly #storage: S3Storage;
  /** Ids of interrupted multipart uploads by key. */
  #resumable: Promise<ReadonlyMap<string, string>> | undefined;

  constructor(location: S3Location) {
    this.#storage = new S3Storage(location);
    this.name = this.#storage.name;
  }

  async compare(files: readonly SourceFile[], { directory, signal }: PublishContext): Promise<Comparison> {
    const remote = await withS3Failure(this.name, () => this.#storage.list(signal));
    const sizes = new Map(remote.map(({ path, size }) => [path, size]));
    const limit = pLimit(CONCURRENCY);
    const local = await Promise.all(
      files.map((file) =>
        limit(async () => {
          signal?.throwIfAborted();
          const isSameSize = sizes.get(file.path) === file.size;
          const digest = isSameSize ? await entityTag(join(directory, file.path), file.size, PART_SIZE) : undefined;
          return { ...file, digest };
        }),
      ),
    );
    return { local, remote };
  }

  async present({ signal }: PublishContext): Promise<ReadonlySet<string>> {
    const files = await withS3Failure(this.name, () => this.#storage.list(signal));
    return new Set(files.map(({ path }) => path));
  }

  async upload(uploads: readonly Upload[], context: PublishContext): Promise<void> {
    this.#resumable ??= withS3Failure(this.name, () => this.#listResumable(context.signal));
    const resumable = await this.#resumable;
    const limit = pLimit(CONCURRENCY);
    await Promise.all(
      uploads.map((upload) =>
        limit(async () => {
          context.signal?.throwIfAborted();
          const id = resumable.get(this.#storage.keyOf(upload.path));
          await withS3Failure(`${this.name}/${upload.path}`, () => this.#send(upload, id, context));
          context.onEvent({ type: 'uploaded', upload });
        }),
      ),
    );
  }

  async remove(paths: readonly string[], { signal, onEvent }: PublishContext): Promise<void> {
    await withS3Failure(this.name, async () => {
      for (let at = 0; at < paths.length; at += DELETE_BATCH) {
        const batch = paths.slice(at, at + DELETE_BATCH);
        const objects = batch.map((path) => ({ Key: this.#storage.keyOf(path) }));
        const { Errors: errors = [] } = await this.#storage.client.send(
          new DeleteObjectsCommand({ Bucket: this.#storage.bucket, Delete: { Objects: objects, Quiet: true } }),
          abortOn(signal),
        );
        const [first] = errors;
        if (first !== undefined) throw Object.assign(new Error(first.Message ?? ''), { name: first.Code ?? 'Unknown' });
        for (const path of batch) onEvent({ type: 'deleted', path });
      }
    });
  }

  async close(): Promise<void> {
    this.#storage.client.destroy();
  }

  /** The newest interrupted upload of each key; empty if the storage does not list them. */
  async #listResumable(signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>> {
    const uploads = new Map<string, string>();
    const page = await this.#storage.client.send(
      new ListMultipartUploadsCommand({ Bucket: this.#storage.bucket, Prefix: this.#storage.keyOf('') }),
      abortOn(signal),
    );
    for (const { Key: key, UploadId: id } of page.Uploads ?? []) {
      if (key !== undefined && id !== undefined) uploads.set(key, id);
    }
    return uploads;
  }

  async #send(upload: Upload, resumableId: string | undefined, { directory, signal }: PublishContext): Promise<void> {
    const { client, bucket } = this.#storage;
    const path = join(directory, upload.path);
    const address = { Bucket: bucket, Key: this.#storage.keyOf(upload.path) };
    const headers = { CacheControl: upload.cacheControl, ContentType: upload.contentType };
    const parts = partsOf(upload.size, PART_SIZE);
    await withFile(path, async (file) => {
      const [only] = parts;
      if (parts.length === 1 && only !== undefined) {
        const body = await readPart(file, only, path);
        const sum = { ContentMD5: md5(body).toString('base64'), ContentLength: body.length };
        await client.send(new PutObjectCommand({ ...address, ...headers, ...sum, Body: body }), abortOn(signal));
        return;
      }
      const id =
        resumableId ??
        (await client.send(new CreateMultipartUploadCommand({ ...address, ...headers }), abortOn(signal))).UploadId;
      if (id === undefined) throw new Error('the storage returned no upload id');
      const upload = { ...address, UploadId: id };
      const sent = resumableId === undefined ? new Map<number, string>() : await this.#listParts(upload, signal);
      const done: { PartNumber: number; ETag: string }[] = [];
      for (const part of parts) {
        const body = await readPart(file, part, path);
        const sum = md5(body);
        let tag = sent.get(part.number);
        if (unquotedTag(tag) !== sum.toString('hex')) {
          const request = { ...upload, PartNumber: part.number, ContentMD5: sum.toString('base64') };
          const response = await client.send(
            new UploadPartCommand({ ...request, Body: body, ContentLength: body.length }),
            abortOn(signal),
          );
          tag = response.ETag;
        }
        done.push({ PartNumber: part.number, ETag: tag ?? '' });
      }
      const completed = { ...upload, MultipartUpload: { Parts: done } };
      await client.send(new CompleteMultipartUploadCommand(completed), abortOn(signal));
    });
  }

  /** Entity tags of the parts that an interrupted upload has sent, by number. */
  async #listParts(
    upload: { readonly Bucket: string; readonly Key: string; readonly UploadId: string },
    signal: AbortSignal | undefined,
  ): Promise<Map<number, string>> {
    const tags = new Map<number, string>();
    for (let marker: string | undefined, more = true; more; ) {
      const page = await this.#storage.client.send(
        new ListPartsCommand({ ...upload, PartNumberMarker: marker }),
        abortOn(signal),
      );
      for (const { PartNumber: number, ETag: tag } of page.Parts ?? []) {
        if (number !== undefined && tag !== undefined) tags.set(number, tag);
      }
      marker = page.NextPartNumberMarker;
      more = page.IsTruncated === true && marker !== undefined;
    }
    return tags;
  }
}
