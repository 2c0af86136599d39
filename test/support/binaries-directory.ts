import { createCipheriv, createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Architecture } from '../../src/model/architecture.ts';
import { makeElf } from './binaries.ts';

const BINARIES_VERSION = '1.36.4';

/**
 * Creates a directory of plain binaries for `--source`.
 *
 * @param kubelet bytes after the kubelet's ELF header
 */
export function makeBinariesDirectory(
  directory: string,
  {
    kubelet = [],
    architectures = ['amd64'],
  }: { kubelet?: Iterable<Uint8Array>; architectures?: readonly Architecture[] },
): string {
  const sums: string[] = [];
  for (const architecture of architectures) {
    for (const name of ['kubeadm', 'kubelet', 'kubectl', 'crictl', 'cni/bridge', 'cni/loopback']) {
      const path = `${architecture}/${name}`;
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      const head = makeElf(architecture, { tail: path });
      sums.push(`${writeFile(join(directory, path), [head, ...(name === 'kubelet' ? [kubelet] : [])])}  ${path}\n`);
    }
  }
  writeFileSync(join(directory, 'SHA256SUMS'), sums.join(''));
  writeFileSync(
    join(directory, 'release.yaml'),
    `kubernetes: "${BINARIES_VERSION}"\ncniPlugins: "1.8.0"\ncriTools: "1.36.0"\ndate: 2026-08-12T10:00:00Z\n`,
  );
  return directory;
}

function writeFile(path: string, parts: readonly (Uint8Array | Iterable<Uint8Array>)[]): string {
  const hash = createHash('sha256');
  const file = openSync(path, 'w');
  for (const part of parts) {
    for (const chunk of part instanceof Uint8Array ? [part] : part) {
      hash.update(chunk);
      writeSync(file, chunk);
    }
  }
  closeSync(file);
  return hash.digest('hex');
}

const MEBIBYTE = 1 << 20;

/** Incompressible bytes, always the same. */
export function* noise(mebibytes: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 'seed'), Buffer.alloc(16));
  for (let i = 0; i < mebibytes; i++) yield cipher.update(Buffer.alloc(MEBIBYTE));
}

/** A repeated line, which compresses fast; xz is slow when repetitions are far apart. */
export function* repetition(mebibytes: number): Generator<Buffer> {
  const block = Buffer.alloc(MEBIBYTE, 'kubeparcel repeats itself\n');
  for (let i = 0; i < mebibytes; i++) yield block;
}
