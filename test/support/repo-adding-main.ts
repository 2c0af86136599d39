import { addPackages } from '../../src/repo/operations/add.ts';
import { removePackages } from '../../src/repo/operations/remove.ts';
import { openSigners } from '../../src/sign/open-keys.ts';

// Changes a repository until the process is killed: REPOSITORY KEY PACKAGE...

const [directory = '', key = '', ...packages] = process.argv.slice(2);
const signers = await openSigners([key]);
process.stdout.write('ready\n');
for (;;) {
  for (const [some, minor] of [
    [packages.slice(0, 2), '1.36'],
    [packages.slice(2, 4), '1.37'],
    [packages.slice(4), '1.37'],
  ] as const) {
    await addPackages(directory, some, { channel: 'stable', minors: [minor], signers });
  }
  await removePackages(directory, ['kubelet=1.36.5'], { signers });
}
