import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { freePort } from './s3-server.ts';

/** A real rsync daemon with one module. */
export interface RsyncDaemon {
  /** rsync://127.0.0.1:PORT/packages */
  readonly url: string;
  /** Directory of the module. */
  readonly module: string;
  /** Whether it has no child process, including those of clients that are gone. */
  isIdle(): boolean;
  stop(): Promise<void>;
}

/** @param directory an empty one */
export async function startRsyncDaemon(directory: string): Promise<RsyncDaemon> {
  const module = join(directory, 'module');
  mkdirSync(module);
  const port = await freePort();
  const config = join(directory, 'rsyncd.conf');
  // Otherwise the daemon changes the targets of symbolic links.
  const links = 'munge symlinks = no';
  writeFileSync(config, `use chroot = no\n${links}\n[packages]\npath = ${module}\nread only = no\nuid = 0\ngid = 0\n`);
  const daemon = execa(
    'rsync',
    ['--daemon', '--no-detach', `--port=${port}`, '--address=127.0.0.1', `--config=${config}`],
    { reject: false, stdin: 'ignore' },
  );
  const stop = async () => {
    daemon.kill();
    await daemon;
  };
  for (let attempt = 0; ; attempt++) {
    const { exitCode } = await execa('rsync', [`rsync://127.0.0.1:${port}/`], { reject: false });
    if (exitCode === 0) break;
    if (attempt === 100) {
      await stop();
      throw new Error('the rsync daemon does not answer');
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    url: `rsync://127.0.0.1:${port}/packages`,
    module,
    isIdle: () => readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8') === '',
    stop,
  };
}
