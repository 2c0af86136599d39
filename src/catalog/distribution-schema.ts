import { z } from 'zod';
import { type Compression, parseCompression } from '../archive/codec.ts';
import { FORMATS, type Format } from '../layout/layout.ts';
import { bound, coveringRanges, type Range, type Span } from './ranges.ts';

/** Places that distributions differ in; packages/*.yaml and templates name them. */
export const PLACES = ['units', 'drop-ins', 'environment', 'libexec'] as const;
export type Place = (typeof PLACES)[number];

/** What a distribution's packages are called and where its files go. */
export interface Distribution {
  /** debian-12 */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly format: Format;
  /** Distributions of one family are served by one package; undefined where a package must be built for it alone. */
  readonly family: string | undefined;
  readonly paths: Readonly<Record<Place, readonly (Range & { readonly path: string })[]>>;
  /** Names by logical name; none: every system has it, in a package of another name. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Packages of shared libraries by soname; empty for RPM, where the soname is the relation. */
  readonly libraries: Readonly<Record<string, LibraryPackage>>;
  /** Folders that the distribution's own packages own, so that no package of ours may. */
  readonly systemDirectories: readonly string[];
  /** Packages load kernel modules and set sysctls at boot, where kubeparcel.yaml says nothing about it. */
  readonly kernel: boolean;
  /** Goes behind the revision of a package that is built for this distribution alone. */
  readonly suffix: string;
  /** What the package manager reads, the best first. */
  readonly compression: readonly Compression[];
  /** The vendor's container image: docker.io/library/debian:12, with @sha256:... where it is pinned. */
  readonly image: string | undefined;
}

export interface LibraryPackage {
  readonly package: string;
  /** Symbol versions with this prefix are versions of the package. */
  readonly symbols?: string | undefined;
  /** Package versions of the symbol versions that say none. */
  readonly others?: Readonly<Record<string, string>> | undefined;
}

/** A package's name: Debian policy 5.6.1, and the capitals and underscores that RPM packages have. */
export const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'a package name');

const identifier = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'lower-case letters, digits, . and -');
const absolutePath = z
  .string()
  .regex(/^(\/[A-Za-z0-9+_-][A-Za-z0-9+._-]*)+$/, 'an absolute path, without a slash at its end');

/** Registry, repository, tag and perhaps a digest (OCI distribution specification; image names of containers-image). */
const imageReference = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$/,
    'an image with its registry and tag, as docker.io/library/debian:12, and with @sha256:... when it is pinned',
  );

const compression = z.string().transform((text, context): Compression => {
  try {
    return parseCompression(text);
  } catch {
    context.addIssue({ code: 'custom', message: `no compression: ${text}; write zstd:12, xz:6, gzip:9 or none` });
    return z.NEVER;
  }
});

/**
 * One file of distributions/: what the releases of a distribution share, and the releases.
 *
 * @param taken ids and aliases of the files before this one, by their normal form; this one's are added
 */
export function distributionSchema(span: Span, taken: Map<string, string>) {
  const place = z.union(
    [
      absolutePath.transform((path) => [{ since: span.oldest, path }]),
      coveringRanges(z.strictObject({ since: bound, until: bound.optional(), path: absolutePath }), span),
    ],
    'an absolute path, or ranges of versions with a path each that leave no hole and do not overlap',
  );
  const places: Record<Place, typeof place> = { units: place, 'drop-ins': place, environment: place, libexec: place };
  return z
    .strictObject({
      name: identifier,
      format: z.enum(FORMATS),
      family: identifier,
      paths: z.strictObject(places),
      names: z.record(
        packageName,
        z.union([packageName.transform((name) => [name]), z.array(packageName)], 'a package name, or a list of them'),
      ),
      libraries: z
        .record(
          z.string(),
          z.strictObject({
            package: packageName,
            symbols: z.string().min(1).optional(),
            others: z.record(z.string(), z.string()).optional(),
          }),
        )
        .default({}),
      'system-directories': z.array(absolutePath).default([]),
      kernel: z.boolean().default(false),
      releases: z
        .array(
          z.strictObject({
            id: identifier,
            aliases: z.array(identifier).default([]),
            suffix: z.string().regex(/^[.~+][A-Za-z0-9.+~]+$/, 'what goes behind the revision, as ~debian12 or .el9'),
            compression: z.array(compression).min(1),
            image: imageReference.optional(),
            apart: z.string().min(1).optional(),
          }),
        )
        .min(1),
    })
    .superRefine(({ name, releases }, context) => {
      for (const [index, release] of releases.entries()) {
        if (!release.id.startsWith(`${name}-`)) {
          context.addIssue({ code: 'custom', path: ['releases', index, 'id'], message: `must start with ${name}-` });
        }
        for (const word of [release.id, ...release.aliases]) {
          const owner = taken.get(normalName(word));
          if (owner !== undefined) {
            const message = `${word} is a name of ${owner} already`;
            const where = word === release.id ? 'id' : 'aliases';
            context.addIssue({ code: 'custom', path: ['releases', index, where], message });
          }
          taken.set(normalName(word), release.id);
        }
      }
    });
}

/** The releases of a parsed file, each with what they share. */
export function releasesOf(file: z.output<ReturnType<typeof distributionSchema>>): Distribution[] {
  const { format, family, paths, names, libraries, kernel, releases } = file;
  return releases.map(({ id, aliases, suffix, compression, image, apart }) => ({
    id,
    aliases,
    format,
    family: apart === undefined ? family : undefined,
    paths,
    names,
    libraries,
    systemDirectories: file['system-directories'],
    kernel,
    suffix,
    compression,
    image,
  }));
}

/** The form in which names of distributions are compared: `debian12`, `Debian-12` and `debian_12` are one. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.: ]/g, '');
}
