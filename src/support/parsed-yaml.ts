import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from './file-system.ts';
import { packageRoot } from './package-root.ts';

/**
 * Where the values of kubeparcel's own YAML files are kept as JSON, by what the files say, since parsing them takes
 * longer than many a command. `npm run compile` makes them.
 */
export function parsedFile(text: string, root = packageRoot()): string {
  return join(root, 'lib', 'packaging', `${createHash('sha256').update(text).digest('hex')}.json`);
}

/** The value of YAML that is, byte for byte, one of kubeparcel's own files; undefined for any other. */
export function parsedBefore(text: string): unknown {
  try {
    return JSON.parse(readFileSync(parsedFile(text), 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
