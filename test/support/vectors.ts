import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { bytesOf, type MemoryHost, memoryHost, type Tree } from './memory-host.ts';

const DIRECTORY = join(import.meta.dirname, '..', 'vectors');

const mode = z.int().min(0).max(0o777).optional();
const nodeSchema = z.union([
  z.string(),
  z.strictObject({ file: z.string(), mode }),
  z.strictObject({ hex: z.string(), mode }),
  z.strictObject({ size: z.int().min(0), mode }),
  z.strictObject({ link: z.string() }),
  z.strictObject({ directory: z.literal(true), mode }),
  z.strictObject({ socket: z.literal(true), mode }),
]);
const files = z.record(z.string().startsWith('/'), nodeSchema);
const treeSchema = z.strictObject({
  about: z.string(),
  /** Names of test/vectors/parts. Later parts override earlier ones; `files` overrides all. */
  parts: z.array(z.string()).default([]),
  hostName: z.string().default('node-a'),
  /** The kubelet version in the generator's package; if unset, it is read from the host. */
  kubelet: z.string().optional(),
  files: files.default({}),
});
const expectedSchema = z.strictObject({
  /** The codes of all findings, sorted, with duplicates. */
  findings: z.array(z.string()),
  /** Flags after --config in the generator's KUBELET_CONFIG_ARGS; empty when there is no env file. */
  args: z.array(z.string()),
  /** Settings in the generator's KubeletConfiguration; null when there is no file. */
  config: z.record(z.string(), z.string()).nullable(),
  /** The facts that a vector tests. */
  facts: z.record(z.string(), z.unknown()).default({}),
});

/** A host and the expected plan, written from the documentation of Kubernetes, not from the output of the code. */
export interface Vector extends Omit<z.infer<typeof treeSchema>, 'files' | 'parts'> {
  readonly name: string;
  readonly tree: Tree;
  readonly expected: z.infer<typeof expectedSchema>;
}

/** All of test/vectors, sorted by name. */
export function loadVectors(): readonly Vector[] {
  const names = readdirSync(DIRECTORY).filter((name) => name !== 'parts');
  return names.sort().map((name) => {
    const { parts, files: own, ...rest } = treeSchema.parse(parseFile(name, 'tree.yaml'));
    const tree: Tree = Object.assign({}, ...parts.map((part) => files.parse(parseFile('parts', `${part}.yaml`))), own);
    return { ...rest, name, tree, expected: expectedSchema.parse(parseFile(name, 'expected.yaml')) };
  });
}

function parseFile(...path: readonly string[]): unknown {
  return parse(readFileSync(join(DIRECTORY, ...path), 'utf8'));
}

/** The vector's host in memory. */
export function vectorHost({ tree, hostName }: Vector): MemoryHost {
  return memoryHost(tree, hostName);
}

/**
 * Creates the vector's host in a directory, for adapters of real hosts. Adds /etc/hostname if it is missing.
 *
 * @param directory empty, with a short path, because a socket's path has at most 107 bytes
 * @returns a function that closes and removes the sockets
 */
export async function layOutVector({ tree, hostName }: Vector, directory: string): Promise<() => Promise<void>> {
  const servers: Server[] = [];
  const whole: Tree = { '/etc/hostname': `${hostName}\n`, ...tree };
  for (const [path, node] of Object.entries(whole)) {
    const at = join(directory, path);
    mkdirSync(dirname(at), { recursive: true });
    if (typeof node === 'object' && 'link' in node) symlinkSync(node.link, at);
    else if (typeof node === 'object' && 'directory' in node) mkdirSync(at, { recursive: true });
    else if (typeof node === 'object' && 'socket' in node) servers.push(await listen(at));
    else writeFileSync(at, bytesOf(node), { mode: (typeof node === 'object' && 'mode' in node && node.mode) || 0o644 });
  }
  return async () => {
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  };
}

function listen(path: string): Promise<Server> {
  return new Promise((done, fail) => {
    const server = createServer().once('error', fail);
    server.listen(path, () => done(server));
  });
}
