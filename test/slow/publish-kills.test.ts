import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INDEX_FILE } from '../../src/repo/model/index-file.ts';
import { openTarget } from '../../src/repo/publish/open-target.ts';
import { publish } from '../../src/repo/publish/publish.ts';
import { isFault, type VerifyFinding } from '../../src/repo/verify/finding.ts';
import { verifyPublished } from '../../src/repo/verify/verify-published.ts';
import { type AptClient, aptClient } from '../support/apt-client.ts';
import { compileSupport } from '../support/compile.ts';
import { changingRepository } from '../support/repo-changing.ts';
import { startRsyncDaemon } from '../support/repo-rsync-daemon.ts';
import { BUCKET, startS3Server } from '../support/s3-server.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const KILLS = {
  directory: Number(process.env.KUBEPARCEL_TEST_KILLS ?? 100),
  rsync: Number(process.env.KUBEPARCEL_TEST_KILLS ?? 10),
  s3: Number(process.env.KUBEPARCEL_TEST_KILLS ?? 90),
};

interface Place {
  /** As `publish` takes it. */
  readonly target: string;
  /** As `verify` takes it. */
  readonly seen: string;
  /** As apt takes it. */
  readonly uri: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Whether the server has done what it was sent, also by clients that were killed. */
  readonly isIdle: () => boolean;
}

interface Outcome {
  /** Runs that were killed at work. */
  readonly early: number;
  /** Views whose repomd.xml and its signature were of two states after a kill; once for each kill. */
  readonly windows: readonly string[];
}

describe.skipIf(!hasTool('apt-get'))('publish, killed at random moments', () => {
  let child: { readonly main: string; remove(): void };
  beforeAll(() => {
    child = compileSupport('publishing-main.ts');
  });
  afterAll(() => child.remove());

  /** Publishes one state after the other and kills each run; afterwards verify finds nothing and apt-get update works. */
  async function killed(kills: number, { target, seen, uri, environment, isIdle }: Place): Promise<Outcome> {
    const { directory, key, change } = await changingRepository(temporaryDirectory());
    const start = () =>
      execa('node', [child.main, directory, target], { env: environment, reject: false, detached: true });
    const finish = async () => {
      const { stdout, stderr } = await start();
      expect(stdout, stderr).toMatch(/done$/);
      await settled();
      return stdout.split('\n').length;
    };
    const settled = () => expect.poll(isIdle, { timeout: 10_000, interval: 5 }).toBe(true);
    const newClient = () => {
      const home = mkdtempSync(join(tmpdir(), 'kubeparcel-apt-'));
      const sources = [`${uri} stable main`, `${uri}/core:/stable:/v1.36/deb ./`];
      return { client: aptClient(home, sources, key.public), remove: () => rmSync(home, { recursive: true }) };
    };
    const windows: string[] = [];
    const look = async (where: string) => {
      const { findings, keys } = await verifyPublished(seen);
      const faults = findings.filter(isFault);
      const isWindow = ({ kind, path }: VerifyFinding) =>
        kind === 'signature' && path.endsWith('/repodata/repomd.xml.asc');
      windows.push(...faults.filter(isWindow).map(({ path }) => path));
      expect(
        faults.filter((each) => !isWindow(each)),
        where,
      ).toEqual([]);
      expect(keys).toEqual([key.fingerprint]);
      return faults.length;
    };
    await finish();
    // A host that was configured at the start, in addition to new ones.
    const old = newClient();
    try {
      updates(old.client, 'at first');
      await change();
      const usual = await finish();
      let early = 0;
      for (let round = 0; round < kills; round++) {
        await change();
        const running = start();
        await lines(running.stdout, Math.floor(Math.random() * usual));
        await sleep(Math.random() * 20);
        // With what it runs, as a machine that goes down.
        if (running.pid !== undefined && running.exitCode === null) process.kill(-running.pid, 'SIGKILL');
        if ((await running).signal === 'SIGKILL') early += 1;
        await settled();
        await look(`kill ${round}`);
        const fresh = newClient();
        try {
          updates(fresh.client, `kill ${round}`);
          if (round % 5 === 0) downloads(fresh.client);
        } finally {
          fresh.remove();
        }
        // apt takes a list of the same second for the one that it has: two states are never that close.
        if (round % 5 === 0) {
          await sleep(1100);
          updates(old.client, `kill ${round}, again`);
          await sleep(1100);
        }
      }
      await finish();
      expect(await look('at last')).toBe(0);
      const left = await plan(directory, target);
      expect([left.phases.flatMap(({ uploads }) => uploads), left.deletions]).toEqual([[], []]);
      await sleep(1100);
      updates(old.client, 'at last');
      downloads(old.client);
      // Most of them have met it at work.
      expect(early).toBeGreaterThan(kills / 4);
      return { early, windows };
    } finally {
      old.remove();
    }
  }

  test(`${KILLS.directory} times while it publishes to a directory: apt and verify find no fault`, {
    timeout: 600_000,
  }, async () => {
    const target = join(temporaryDirectory(), 'out');
    const place = { target, seen: target, uri: `file:${target}`, environment: {}, isIdle: () => true };
    expect((await killed(KILLS.directory, place)).windows).toEqual([]);
  });

  test.skipIf(!hasTool('rsync'))(
    `${KILLS.rsync} times while it publishes over rsync: apt and verify find no fault`,
    { timeout: 300_000 },
    async () => {
      const daemon = await startRsyncDaemon(temporaryDirectory());
      try {
        const seen = join(daemon.module, 'a', 'b');
        const place = {
          target: `${daemon.url}/a/b`,
          seen,
          uri: `file:${seen}`,
          environment: {},
          isIdle: daemon.isIdle,
        };
        expect((await killed(KILLS.rsync, place)).windows).toEqual([]);
      } finally {
        await daemon.stop();
      }
    },
  );

  test.skipIf(!hasTool('versitygw'))(
    `${KILLS.s3} times while it publishes to S3: apt over HTTP finds no fault`,
    { timeout: 900_000 },
    async () => {
      const data = join(temporaryDirectory(), 's3');
      mkdirSync(data);
      const server = await startS3Server(data);
      Object.assign(process.env, server.environment);
      try {
        const uri = `${await server.makePublic()}/killed`;
        server.client.destroy();
        const target = `s3://${BUCKET}/killed`;
        const { environment, isIdle } = server;
        const { early, windows } = await killed(KILLS.s3, { target, seen: target, uri, environment, isIdle });
        // In S3 repomd.xml and its signature are two objects: a kill between them shows, until somebody publishes again, and
        // seldom. The last run has mended all of them.
        expect(windows.length).toBeLessThan(early);
        process.stdout.write(`${early} runs killed, ${windows.length} times repomd.xml and its signature differed\n`);
      } finally {
        for (const name of Object.keys(server.environment)) delete process.env[name];
        await server.stop();
      }
    },
  );
});

function updates(client: AptClient, where: string): void {
  const { status, said } = client.run('update');
  expect(said, `${where}: ${said}`).not.toMatch(/^[EW]:/m);
  expect(status, where).toBe(0);
}

function downloads(client: AptClient): void {
  const { status, said } = client.run('download', 'kubelet');
  expect(status, said).toBe(0);
}

async function plan(directory: string, text: string) {
  const target = await openTarget(text);
  try {
    return await publish({ directory, marker: INDEX_FILE, target, dryRun: true, keep: false });
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
