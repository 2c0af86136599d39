import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from './file-system.ts';
import { packageRoot } from './package-root.ts';

/**
 * The JSON file with the parsed value of a YAML file of kubeparcel, named by the digest of the YAML. Parsing YAML takes
 * longer than running most commands. `npm run compile` writes these files.
 */
export function parsedFile(text: string, root = packageRoot()): string {
  return join(root, 'lib', 'packaging', `${createHash('sha256').update(text).digest('hex')}.json`);
}

/** The parsed value of a YAML file of kubeparcel; undefined for any other text. */
export function readParsed(text: string): unknown {
  try {
    return JSON.parse(readFileSync(parsedFile(text), 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
