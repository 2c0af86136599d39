import { z } from 'zod';
import { type Compression, parseCompression } from '../model/compression.ts';
import { FORMATS } from '../model/format.ts';
import { type Distribution, normalName, type Place } from './distribution.ts';
import { bound, coveringRanges } from './range-schema.ts';
import type { Span } from './ranges.ts';

/** Package names as in Debian policy 5.6.1, plus capital letters and underscores, which RPM packages use. */
export const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'expected a package name');

const identifier = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower-case letters, digits, . and -');
const absolutePath = z
  .string()
  .regex(/^(\/[A-Za-z0-9+_-][A-Za-z0-9+._-]*)+$/, 'expected an absolute path without a trailing slash');

/** Registry, repository, tag and optionally a digest (OCI distribution specification; docker-image names of containers/image). */
const imageReference = z
  .string()
  .regex(
    /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@sha256:[0-9a-f]{64})?$/,
    'expected an image with registry and tag, such as docker.io/library/debian:12, optionally with @sha256:...',
  );

const compression = z.string().transform((text, context): Compression => {
  try {
    return parseCompression(text);
  } catch {
    context.addIssue({
      code: 'custom',
      message: `unknown compression ${JSON.stringify(text)}; expected for example zstd:12, xz:6, gzip:9 or none`,
    });
    return z.NEVER;
  }
});

/**
 * Schema of a file in distributions/: the data that the releases of a distribution share, and the releases.
 *
 * @param taken release ids by normalized id or alias, from earlier files; those of this file are added
 */
export function distributionSchema(span: Span, taken: Map<string, string>) {
  const place = z.union(
    [
      absolutePath.transform((path) => [{ since: span.oldest, path }]),
      coveringRanges(z.strictObject({ since: bound, until: bound.optional(), path: absolutePath }), span),
    ],
    'expected an absolute path, or ranges of versions with paths, without gaps and overlaps',
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
        z.union(
          [packageName.transform((name) => [name]), z.array(packageName)],
          'expected a package name or a list of package names',
        ),
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
            suffix: z
              .string()
              .regex(/^[.~+][A-Za-z0-9.+~]+$/, 'expected a suffix for the revision, such as ~debian12 or .el9'),
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
            const message = `${word} is already a name of ${owner}`;
            const key = word === release.id ? 'id' : 'aliases';
            context.addIssue({ code: 'custom', path: ['releases', index, key], message });
          }
          taken.set(normalName(word), release.id);
        }
      }
    });
}

/** Returns the releases of a parsed file, each with the shared data. */
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
