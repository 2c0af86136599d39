import { createHash, randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listFiles } from '../../src/repo/publish/list-files.ts';
import { openTarget } from '../../src/repo/publish/open-target.ts';
import { publish } from '../../src/repo/publish/publish.ts';
import type { PublishEvent } from '../../src/repo/publish/target.ts';
import { type AptArchive, aptGet, aptRoot, makeAptArchives } from '../support/apt-archive.ts';
import { compileSupport } from '../support/compile.ts';
import { BUCKET, freePort, type S3Server, startS3Server } from '../support/s3-server.ts';
import { temporaryFolder } from '../support/temp-folder.ts';
import { hasTool } from '../support/tools.ts';

const MARKER = 'repository.json';
const PART = 16 << 20;

/** The contents of a folder by path, hidden files too. */
async function contents(folder: string): Promise<Record<string, string>> {
  const files = await listFiles(folder, 'target');
  return Object.fromEntries(
    files.map(({ path }) => [
      path,
      createHash('sha256')
        .update(readFileSync(join(folder, path)))
        .digest('hex'),
    ]),
  );
}

async function publishTo(text: string, folder: string, options: { dryRun?: boolean; keep?: boolean } = {}) {
  const target = await openTarget(text);
  const events: PublishEvent[] = [];
  try {
    const plan = await publish({
      folder,
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

/** Waits for so many lines, or the end. */
function lines(stream: NodeJS.ReadableStream, count: number): Promise<void> {
  return new Promise((resolve) => {
    let seen = 0;
    stream.on('data', (chunk: Buffer) => {
      seen += chunk.toString().split('\n').length - 1;
      if (seen >= count) resolve();
    });
    stream.on('end', resolve);
  });
}

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const tools = ['apt-get', 'apt-ftparchive', 'dpkg-deb', 'gpg'].every(hasTool);

describe.skipIf(!tools)('publishing a real apt repository', () => {
  let temp: string;
  let archives: { readonly old: AptArchive; readonly next: AptArchive };
  let child: { readonly main: string; remove(): void };

  beforeAll(() => {
    temp = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
    archives = makeAptArchives(temp);
    child = compileSupport('publishing-main.ts');
  });
  afterAll(() => {
    rmSync(temp, { recursive: true, force: true });
    child.remove();
  });

  /** apt-get update works, and what its lists name can be had. */
  function aptAccepts(root: string, download: boolean): void {
    const update = aptGet(root, ['update']);
    expect(update.all, update.all).not.toMatch(/^[EW]:/m);
    expect(update.exitCode, update.all).toBe(0);
    if (!download) return;
    aptGet(root, ['clean']);
    const fetched = aptGet(root, ['install', '--yes', '--download-only', 'two', 'three']);
    expect(fetched.exitCode, fetched.all).toBe(0);
  }

  /** Publishes the two states in turn and kills it, `kills` times; a client must never notice. */
  async function killed(
    kills: number,
    target: string,
    seen: string,
    environment: Readonly<Record<string, string>>,
    settled = async () => {},
  ) {
    const start = (folder: string) =>
      execa('node', [child.main, folder, target], { env: environment, reject: false, detached: true });
    const root = temporaryFolder();
    expect((await start(archives.old.folder)).stdout).toMatch(/done$/);
    aptRoot(root, `file:${seen}/deb`, archives.old.keyring);
    aptAccepts(root, true);
    await settled();
    const usual = (await start(archives.next.folder)).stdout.split('\n').length;
    await settled();
    let early = 0;
    for (let round = 0; round < kills; round++) {
      const running = start((round % 2 === 0 ? archives.old : archives.next).folder);
      await lines(running.stdout, Math.floor(Math.random() * usual));
      await sleep(Math.random() * 20);
      // With what it runs, as a machine that goes down.
      if (running.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
      if ((await running).signal === 'SIGKILL') early += 1;
      await settled();
      aptAccepts(root, round % 5 === 0);
    }
    // Most of them have met it at work.
    expect(early).toBeGreaterThan(kills / 4);
    expect((await start(archives.next.folder)).stdout).toMatch(/done$/);
    expect(await contents(seen)).toEqual(await contents(archives.next.folder));
    aptAccepts(root, true);
  }

  test('100 kills of publishing to a folder: apt-get update never notices', { timeout: 300_000 }, async () => {
    const target = join(temporaryFolder(), 'out');
    await killed(100, target, target, {});
  });

  test.skipIf(!hasTool('rsync'))(
    'over rsync, to a folder and to a daemon; 10 kills',
    { timeout: 120_000 },
    async () => {
      const folder = temporaryFolder();
      const module = join(folder, 'module');
      mkdirSync(module);
      const port = await freePort();
      const config = join(folder, 'rsyncd.conf');
      writeFileSync(config, `use chroot = no\n[packages]\npath = ${module}\nread only = no\nuid = 0\ngid = 0\n`);
      const daemon = execa(
        'rsync',
        ['--daemon', '--no-detach', `--port=${port}`, '--address=127.0.0.1', `--config=${config}`],
        { reject: false, stdin: 'ignore' },
      );
      try {
        await expect
          .poll(() =>
            execa('rsync', [`rsync://127.0.0.1:${port}/`]).then(
              () => true,
              () => false,
            ),
          )
          .toBe(true);
        const target = `rsync://127.0.0.1:${port}/packages/a/b`;
        expect((await publishTo(target, archives.old.folder, { dryRun: true })).plan.phases[0]?.uploads).toHaveLength(
          3,
        );
        expect(await contents(module)).toEqual({});
        // What the daemon had been sent before the kill, it still does.
        const idle = () => readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8') === '';
        await killed(10, target, join(module, 'a', 'b'), {}, () => expect.poll(idle, { timeout: 10_000 }).toBe(true));
        const again = await publishTo(target, archives.next.folder);
        expect([again.sent, again.plan.deletions]).toEqual([[], []]);
        writeFileSync(join(module, 'a', 'b', 'deb', 'old_1_all.deb'), 'old');
        writeFileSync(join(module, 'a', 'b', 'theirs.txt'), 'not ours');
        expect((await publishTo(target, archives.next.folder)).plan.deletions).toEqual(['deb/old_1_all.deb']);
        expect(Object.keys(await contents(join(module, 'a', 'b')))).toContain('theirs.txt');
      } finally {
        daemon.kill();
        await daemon;
      }
    },
  );

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

    test('objects have their headers; a second run sends nothing; a dry run neither', async () => {
      const target = `s3://${BUCKET}/first`;
      const { plan } = await publishTo(target, archives.old.folder, { dryRun: true });
      expect(plan.phases.flatMap(({ uploads }) => uploads).length).toBeGreaterThan(8);
      await expect(head('first/deb/InRelease')).rejects.toMatchObject({ name: 'NotFound' });
      const { sent } = await publishTo(target, archives.old.folder);
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
      expect((await publishTo(target, archives.old.folder)).sent).toEqual([]);
      const { plan: next } = await publishTo(target, archives.next.folder);
      expect(next.deletions).toEqual(['deb/one_1_all.deb']);
      await expect(head('first/deb/one_1_all.deb')).rejects.toMatchObject({ name: 'NotFound' });
    });

    test('big files go in parts, and an interrupted one goes on', { timeout: 120_000 }, async () => {
      const folder = temporaryFolder();
      const bytes = randomBytes(2 * PART + 1234);
      writeFileSync(join(folder, MARKER), '{}');
      writeFileSync(join(folder, 'big.deb'), bytes);
      const address = { Bucket: BUCKET, Key: 'parts/big.deb' };
      const { UploadId } = await server.client.send(new CreateMultipartUploadCommand(address));
      const part = { ...address, UploadId, PartNumber: 2 };
      await server.client.send(new UploadPartCommand({ ...part, Body: bytes.subarray(PART, 2 * PART) }));
      const target = `s3://${BUCKET}/parts`;
      expect((await publishTo(target, folder)).sent).toEqual(['big.deb', MARKER]);
      const { Body } = await server.client.send(new GetObjectCommand(address));
      expect(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
      // The part that was there has been taken: no second upload was begun, none is left.
      const { Uploads = [] } = await server.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      expect(Uploads).toEqual([]);
      expect((await publishTo(target, folder)).sent).toEqual([]);
    });

    test('a wrong key is refused by the server and said so, without the key', async () => {
      const target = `s3://${BUCKET}/refused`;
      process.env.AWS_SECRET_ACCESS_KEY = 'wrong-secret-0123456789';
      try {
        const failure = await publishTo(target, archives.old.folder).catch((error: unknown) => error);
        expect(failure).toMatchObject({ kind: 'network', where: target });
        expect(String(failure)).toContain('SignatureDoesNotMatch');
        expect(JSON.stringify(failure)).not.toContain('wrong-secret');
      } finally {
        Object.assign(process.env, server.environment);
      }
      await expect(publishTo('s3://not-there/x', archives.old.folder)).rejects.toMatchObject({
        message: expect.stringContaining('NoSuchBucket'),
        todo: 'make the bucket first; publish does not',
      });
    });
  });
});

test('a copy of the repository with other times is the same repository', async () => {
  const temp = temporaryFolder();
  mkdirSync(join(temp, 'repo', 'pool'), { recursive: true });
  writeFileSync(join(temp, 'repo', MARKER), '{}');
  writeFileSync(join(temp, 'repo', 'pool', 'a.deb'), 'a');
  cpSync(join(temp, 'repo'), join(temp, 'out'), { recursive: true });
  expect((await publishTo(join(temp, 'out'), join(temp, 'repo'))).sent).toEqual([]);
});
