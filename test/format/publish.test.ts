import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { copySync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTarget } from '../../src/repo/publish/open-target.ts';
import { publish } from '../../src/repo/publish/publish.ts';
import type { PublishEvent } from '../../src/repo/publish/target.ts';
import { listFiles } from '../../src/repo/storage/list-files.ts';
import { type AptArchive, makeAptArchives } from '../support/apt-archive.ts';
import { startRsyncDaemon } from '../support/repo-rsync-daemon.ts';
import { BUCKET, type S3Server, startS3Server } from '../support/s3-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const MARKER = 'repository.json';
const PART = 16 << 20;

/** The contents of a directory by path, hidden files too. */
async function contents(directory: string): Promise<Record<string, string>> {
  const files = await listFiles(directory, 'target');
  return Object.fromEntries(
    files.map(({ path }) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(directory, path)))
        .digest('hex'),
    ]),
  );
}

async function publishTo(text: string, directory: string, options: { dryRun?: boolean; keep?: boolean } = {}) {
  const target = await openTarget(text);
  const events: PublishEvent[] = [];
  try {
    const plan = await publish({
      directory,
      marker: MARKER,
      target,
      dryRun: false,
      keep: false,
      ...options,
      onEvent: (event) => events.push(event),
    });
    return { plan, sent: events.flatMap((event) => (event.type === 'uploaded' ? [event.upload.path] : [])), events };
  } finally {
    await target.close();
  }
}

const tools = ['apt-get', 'apt-ftparchive', 'dpkg-deb', 'gpg'].every(hasTool);

describe.skipIf(!tools)('publishing a real apt repository', () => {
  let temp: string;
  let archives: { readonly old: AptArchive; readonly next: AptArchive };

  beforeAll(() => {
    temp = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
    archives = makeAptArchives(temp);
  });
  afterAll(() => {
    rmSync(temp, { recursive: true, force: true });
  });

  test.skipIf(!hasTool('rsync'))('over rsync, to a daemon', { timeout: 60_000 }, async () => {
    const daemon = await startRsyncDaemon(temporaryDirectory());
    const place = join(daemon.module, 'a', 'b');
    try {
      const target = `${daemon.url}/a/b`;
      expect((await publishTo(target, archives.old.directory, { dryRun: true })).plan.phases[0]?.uploads).toHaveLength(
        3,
      );
      expect(await contents(daemon.module)).toEqual({});
      await publishTo(target, archives.old.directory);
      await publishTo(target, archives.next.directory);
      expect(await contents(place)).toEqual(await contents(archives.next.directory));
      const again = await publishTo(target, archives.next.directory);
      expect([again.sent, again.plan.deletions]).toEqual([[], []]);
      writeFileSync(join(place, 'deb', 'old_1_all.deb'), 'old');
      // A directory that the repository has not got any more.
      mkdirSync(join(place, 'deb', 'old'));
      writeFileSync(join(place, 'deb', 'old', 'Release'), 'old');
      writeFileSync(join(place, 'theirs.txt'), 'not ours');
      const gone = ['deb/old/Release', 'deb/old_1_all.deb'];
      expect((await publishTo(target, archives.next.directory)).plan.deletions).toEqual(gone);
      expect(await contents(place)).toEqual({
        ...(await contents(archives.next.directory)),
        'theirs.txt': expect.any(String),
      });
    } finally {
      await daemon.stop();
    }
  });

  describe.skipIf(!hasTool('versitygw'))('to S3-compatible storage', () => {
    let server: S3Server;
    let data: string;

    beforeAll(async () => {
      data = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
      server = await startS3Server(data);
      Object.assign(process.env, server.environment);
    });
    afterAll(async () => {
      for (const name of Object.keys(server.environment)) delete process.env[name];
      await server.stop();
      rmSync(data, { recursive: true, force: true });
    });

    const head = (key: string) => server.client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));

    test('objects have their headers; a dry run and a second run upload nothing', async () => {
      const target = `s3://${BUCKET}/first`;
      const { plan } = await publishTo(target, archives.old.directory, { dryRun: true });
      expect(plan.phases.flatMap(({ uploads }) => uploads).length).toBeGreaterThan(8);
      await expect(head('first/deb/InRelease')).rejects.toMatchObject({ name: 'NotFound' });
      const { sent } = await publishTo(target, archives.old.directory);
      expect(sent.at(-1)).toBe(MARKER);
      expect(sent.indexOf('deb/InRelease')).toBeGreaterThan(sent.indexOf('deb/Packages'));
      expect(sent.indexOf('deb/Packages')).toBeGreaterThan(sent.indexOf('deb/two_1_all.deb'));
      expect(await head('first/deb/InRelease')).toMatchObject({
        CacheControl: 'public, max-age=60, must-revalidate',
        ContentType: 'text/plain; charset=utf-8',
      });
      expect(await head('first/deb/two_1_all.deb')).toMatchObject({
        CacheControl: 'public, max-age=31536000, immutable',
        ContentType: 'application/vnd.debian.binary-package',
      });
      expect((await publishTo(target, archives.old.directory)).sent).toEqual([]);
      const { plan: next } = await publishTo(target, archives.next.directory);
      expect(next.deletions).toEqual(['deb/one_1_all.deb']);
      await expect(head('first/deb/one_1_all.deb')).rejects.toMatchObject({ name: 'NotFound' });
    });

    test('large files are uploaded in parts, and an interrupted upload is resumed', { timeout: 120_000 }, async () => {
      const directory = temporaryDirectory();
      const bytes = randomBytes(2 * PART + 1234);
      writeFileSync(join(directory, MARKER), '{}');
      writeFileSync(join(directory, 'big.deb'), bytes);
      const address = { Bucket: BUCKET, Key: 'parts/big.deb' };
      const { UploadId } = await server.client.send(new CreateMultipartUploadCommand(address));
      const part = { ...address, UploadId, PartNumber: 2 };
      await server.client.send(new UploadPartCommand({ ...part, Body: bytes.subarray(PART, 2 * PART) }));
      const target = `s3://${BUCKET}/parts`;
      expect((await publishTo(target, directory)).sent).toEqual(['big.deb', MARKER]);
      const { Body } = await server.client.send(new GetObjectCommand(address));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
      // The part that was there has been taken: no second upload was begun, none is left.
      const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      expect(Uploads).toEqual([]);
      expect((await publishTo(target, directory)).sent).toEqual([]);
    });

    test('a wrong secret key gives an error that does not show the key', async () => {
      const target = `s3://${BUCKET}/refused`;
      process.env.AWS_SECRET_ACCESS_KEY = 'wrong-secret-0123456789';
      try {
        const failure = await publishTo(target, archives.old.directory).catch((error: unknown) => error);
        expect(failure).toMatchObject({ kind: 'network', where: target });
        expect(String(failure)).toContain('SignatureDoesNotMatch');
        expect(JSON.stringify(failure)).not.toContain('wrong-secret');
      } finally {
        Object.assign(process.env, server.environment);
      }
      await expect(publishTo('s3://not-there/x', archives.old.directory)).rejects.toMatchObject({
        message: expect.stringContaining('NoSuchBucket'),
        hint: 'create the bucket first',
      });
    });
  });
});

test('a copy of the repository with other timestamps needs no upload', async () => {
  const temp = temporaryDirectory();
  mkdirSync(join(temp, 'repo', 'pool'), { recursive: true });
  writeFileSync(join(temp, 'repo', MARKER), '{}');
  writeFileSync(join(temp, 'repo', 'pool', 'a.deb'), 'a');
  copySync(join(temp, 'repo'), join(temp, 'out'));
  expect((await publishTo(join(temp, 'out'), join(temp, 'repo'))).sent).toEqual([]);
});
