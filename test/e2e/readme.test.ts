import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/support/package-root.ts';
import { succeed } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// The kubelet packages contain a program that depends on the local compiler.
const withoutKubelet = (text: string) => text.split('\n').filter((line) => !line.startsWith('kubelet'));

test('the README shows the output of a sample build, with digests', async () => {
  const cwd = temporaryDirectory();
  const printed = await succeed(['build', '--source', 'sample', '--arch', 'amd64'], { cwd });
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const shown = /```text\n(Package.*?)```/s.exec(readme)?.[1] ?? '';
  expect(shown.trim().split('\n').length).toBe(14);
  expect(withoutKubelet(printed)).toEqual(expect.arrayContaining(withoutKubelet(shown.trim())));
});
