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
  /** Files of test/vectors/parts, the later over the earlier, `files` over all. */
  parts: z.array(z.string()).default([]),
  hostName: z.string().default('node-a'),
  /** The version of the kubelet that the generator is packaged with; none: the host must tell. */
  kubelet: z.string().optional(),
  files: files.default({}),
});
const expectedSchema = z.strictObject({
  /** Codes, sorted; one that several findings have is there as often. */
  findings: z.array(z.string()),
  /** Words behind --config=... in the generator's KUBELET_CONFIG_ARGS, in order; empty: there is no env file. */
  args: z.array(z.string()),
  /** Settings of the generator's KubeletConfiguration; null: there is no such file. */
  config: z.record(z.string(), z.string()).nullable(),
  /** Some of the facts, as far as a vector is about them. */
  facts: z.record(z.string(), z.unknown()).default({}),
});

/** A host and what the generator makes of it; written from the facts of Kubernetes, not from what the code does. */
export interface Vector extends Omit<z.infer<typeof treeSchema>, 'files' | 'parts'> {
  readonly name: string;
  readonly tree: Tree;
  readonly expected: z.infer<typeof expectedSchema>;
}

/** All of test/vectors, by name. */
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
 * Lays the vector's host out in a directory, for adapters of real hosts; /etc/hostname has its name, unless it has one.
 *
 * @param directory empty; short, because a socket's path has 107 bytes at most
 * @returns closes the sockets, which are gone then
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
