import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { stringify } from 'yaml';
import { z } from 'zod';
import { ARCHITECTURES, type Architecture } from '../model/architecture.ts';
import { COMPONENTS, type Component } from '../model/component.ts';
import { KubeparcelError } from '../support/errors.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import { compareArtifacts, type LockedArtifact, type Release } from './release.ts';
import { formatVersionRequest, isSatisfiedBy, type VersionRequest } from './version-request.ts';

/** A release whose every artifact was fetched and verified: what kubeparcel.lock holds. */
export interface Lock extends Release {
  readonly artifacts: readonly LockedArtifact[];
}

const FORMAT = 1;
/** 4 MiB: a lock of all architectures takes some 10 KiB. */
const MAX_BYTES = 4 << 20;
const AGAIN = 'run kubeparcel fetch to write it anew, and look at what changed';

const HEADING = `# Written by kubeparcel fetch. Every artifact of the release, by its digest; build --locked takes nothing else.
# The last line is the SHA-256 of all lines above it: change nothing by hand.
`;

const version = z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/, 'a version without v');
const lockSchema = z.strictObject({
  lock: z.literal(FORMAT, `only lock format ${FORMAT} is known here`),
  kubernetes: version,
  date: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a date such as 2026-08-12T10:00:00Z')
    .refine((text) => !Number.isNaN(Date.parse(text)), 'no such date')
    .optional(),
  components: z.partialRecord(z.enum(COMPONENTS), version),
  artifacts: z
    .array(
      z.strictObject({
        component: z.enum(COMPONENTS),
        architecture: z.enum(ARCHITECTURES),
        packing: z.enum(['plain', 'tgz']),
        name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/, 'a file name'),
        url: z.string().regex(/^[a-z]+:[!-~]+$/, 'a URL'),
        size: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
      }),
    )
    .min(1)
    .max(4096),
  digest: z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits'),
});

/** The text of a lock: YAML in a fixed order, with the SHA-256 of its own lines as the last line. */
export function formatLock(lock: Lock): string {
  const body = stringify(
    {
      lock: FORMAT,
      kubernetes: lock.version,
      ...(lock.date === undefined ? {} : { date: formatDate(lock.date) }),
      components: Object.fromEntries(
        COMPONENTS.flatMap((component) => {
          const of = lock.components[component];
          return of === undefined ? [] : [[component, of]];
        }),
      ),
      artifacts: [...lock.artifacts].sort(compareArtifacts).map((artifact) => ({
        component: artifact.component,
        architecture: artifact.architecture,
        packing: artifact.packing,
        name: artifact.name,
        url: artifact.url,
        size: artifact.size,
        sha256: artifact.digest.value,
      })),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  const text = `${HEADING}${body}`;
  return `${text}digest: "${sha256(text)}"\n`;
}

/**
 * Reads a lock's text.
 *
 * @param where the file's name, for errors
 * @throws KubeparcelError: 'verification' when it is not what was written, which is seen before anything in it is read;
 * 'config' with the line for what is not a lock of this format
 */
export function parseLock(text: string, where: string): Lock {
  const end = /\ndigest: "([0-9a-f]{64})"\n$/.exec(text);
  if (end === null || sha256(text.slice(0, end.index + 1)) !== end[1]) {
    throw new KubeparcelError('verification', 'the lock is damaged or was edited: its digest does not fit', {
      where,
      hint: AGAIN,
    });
  }
  const data = parseValidatedYaml(text, lockSchema, where);
  const artifacts = data.artifacts.map((artifact): LockedArtifact => {
    const of = data.components[artifact.component];
    if (of === undefined) {
      throw new KubeparcelError('config', `the lock has an artifact of ${artifact.component} and no version of it`, {
        where,
        hint: AGAIN,
      });
    }
    const { sha256: value, ...rest } = artifact;
    return { ...rest, version: of, digest: { algorithm: 'sha256', value } };
  });
  return {
    version: data.kubernetes,
    date: data.date === undefined ? undefined : Date.parse(data.date) / 1000,
    components: data.components,
    artifacts: artifacts.sort(compareArtifacts),
  };
}

/**
 * Reads a lock file.
 *
 * @throws KubeparcelError as parseLock does, and of kind 'io' when it cannot be read
 */
export async function readLock(path: string): Promise<Lock> {
  return parseLock(await readText(path), path);
}

/** What is wanted of a lock: a version it must be of, and the part of it to use. */
export interface LockedRequest {
  readonly request?: VersionRequest | undefined;
  readonly components?: readonly Component[] | undefined;
  readonly architectures?: readonly Architecture[] | undefined;
  /** The lock's file name, for errors. */
  readonly where: string;
}

/**
 * The release that a lock holds, reduced to what is wanted; nothing is looked up anywhere.
 *
 * @throws KubeparcelError of kind 'verification' for a version, a component or an architecture that is not in it
 */
export function releaseFromLock(lock: Lock, wanted: LockedRequest): Lock {
  const { request, where } = wanted;
  if (request !== undefined && !isSatisfiedBy(request, lock.version)) {
    throw new KubeparcelError('verification', `the lock is for ${lock.version}, not ${formatVersionRequest(request)}`, {
      where,
      hint: `build ${lock.version}, or run kubeparcel fetch ${formatVersionRequest(request)}`,
    });
  }
  const components = wanted.components ?? COMPONENTS.filter((component) => lock.components[component] !== undefined);
  const architectures =
    wanted.architectures ?? ARCHITECTURES.filter((one) => lock.artifacts.some((a) => a.architecture === one));
  const artifacts: LockedArtifact[] = [];
  for (const component of new Set(components)) {
    for (const architecture of new Set(architectures)) {
      const some = lock.artifacts.filter((a) => a.component === component && a.architecture === architecture);
      if (some.length === 0) {
        throw new KubeparcelError('verification', `the lock has no ${component} for ${architecture}`, {
          where,
          hint: 'run kubeparcel fetch for all packages and architectures that you build',
        });
      }
      artifacts.push(...some);
    }
  }
  return {
    ...lock,
    components: Object.fromEntries(Object.entries(lock.components).filter(([name]) => includes(components, name))),
    artifacts: artifacts.sort(compareArtifacts),
  };
}

function includes(list: readonly string[], name: string): boolean {
  return list.includes(name);
}

function formatDate(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readText(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > MAX_BYTES) {
        throw new KubeparcelError('config', `too big for a lock: ${size} bytes`, { where: path });
      }
      bytes = await file.readFile();
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof KubeparcelError) throw cause;
    throw new KubeparcelError('io', 'the lock cannot be read', {
      where: path,
      hint: 'run kubeparcel fetch to write one',
      cause,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new KubeparcelError('verification', 'the lock is damaged: not UTF-8 text', {
      where: path,
      hint: AGAIN,
      cause,
    });
  }
}
