import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from './file-system.ts';
import { packageRoot } from './package-root.ts';

/**
 * The path of the JSON file with the parsed value of one of kubeparcel's own YAML files; its name is the digest of the
 * YAML text. `npm run compile` writes these files, because parsing YAML takes longer than running most commands.
 */
export function parsedFile(text: string, root = packageRoot()): string {
  return join(root, 'lib', 'packaging', `${createHash('sha256').update(text).digest('hex')}.json`);
}

/** The parsed value of one of kubeparcel's own YAML files; undefined for any other text. */
export function readParsed(text: string): unknown {
  try {
    return JSON.parse(readFileSync(parsedFile(text), 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
