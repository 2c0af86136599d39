import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/support/package-root.ts';
import { succeed } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// The kubelet's packages carry a program that the reader's own compiler made.
const withoutKubelet = (text: string) => text.split('\n').filter((line) => !line.startsWith('kubelet'));

test('the README shows what a build of the sample prints, digests included', async () => {
  const cwd = temporaryDirectory();
  const printed = await succeed(['build', '--source', 'sample', '--arch', 'amd64'], { cwd });
  const readme = readFileSync(join(packageRoot(), 'README.md'), 'utf8');
  const shown = /```text\n(Package.*?)```/s.exec(readme)?.[1] ?? '';
  expect(shown.trim().split('\n').length).toBe(13);
  expect(withoutKubelet(printed)).toEqual(expect.arrayContaining(withoutKubelet(shown.trim())));
});
