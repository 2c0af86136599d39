import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { STATE_DIRECTORY } from '../../../repo/model/repository.ts';
import { isFault, type VerifyReport } from '../../../repo/verify/finding.ts';
import type { VerifyPublishedOptions } from '../../../repo/verify/verify-published.ts';
import { EXIT_STATUS, KubeparcelError } from '../../../support/errors.ts';
import { defineCommand, ENDPOINT, JSON_OUTPUT, REGION, toggle, VALUE } from '../../options/flags.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoVerifyCommand = defineCommand({
  command: 'verify <target>',
  describe: 'Verify indices, signatures, packages',
  builder: (yargs) =>
    yargs
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: 'Repository, or a published copy: directory, s3://BUCKET/PREFIX, https://HOST/PATH',
      })
      .option('quick', toggle('Verify the sizes of packages, not their digests'))
      .option('keyring', {
        ...VALUE,
        describe: 'File with the public keys to verify signatures with',
        defaultDescription: "the repository's own keys",
      })
      .option('endpoint', ENDPOINT)
      .option('region', REGION)
      .option('json', JSON_OUTPUT)
      .example('$0 repo verify site', 'Exit status 5 if there are problems')
      .example('$0 repo verify site --keyring packages.asc', 'Also check who signed the repository')
      .example('$0 repo verify https://packages.example.org --quick', 'Verify a published copy as apt and dnf see it')
      .example('$0 repo verify s3://packages/kubernetes --keyring packages.asc', 'Verify a copy in S3')
      .epilogue(
        'A repository must contain exactly the files that its state lists. For a published copy or a mirror, ' +
          'signatures, indices and packages are verified as by a client. Without --keyring, signatures are ' +
          "verified with the repository's own keys: this detects damage, but not a replaced repository.",
      ),
  handler: async (args) => {
    const { renderVerified } = await import('../../render/repo.ts');
    const keys = args.keyring === undefined ? undefined : await readKeyring(args.keyring);
    const { target, quick, endpoint, region } = args;
    const report = await verify(target, { quick, keys, endpoint, region, signal: interruptible() });
    process.stdout.write(`${args.json ? JSON.stringify(report) : renderVerified(args.target, report)}\n`);
    if (report.findings.some(isFault)) process.exitCode = EXIT_STATUS.verification;
  },
});

async function verify(target: string, options: VerifyPublishedOptions): Promise<VerifyReport> {
  if (await hasState(target)) {
    const { verifyRepository } = await import('../../../repo/verify/verify.ts');
    return verifyRepository(target, options);
  }
  const { verifyPublished } = await import('../../../repo/verify/verify-published.ts');
  const { byteProgress } = await import('../../render/byte-progress.ts');
  const { onProgress, stop } = byteProgress('packages');
  try {
    return await verifyPublished(target, { ...options, onProgress });
  } finally {
    stop();
  }
}

async function hasState(directory: string): Promise<boolean> {
  return stat(join(directory, STATE_DIRECTORY)).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function readKeyring(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the public keys', { where: file, cause });
  }
  const { readCertificates } = await import('../../../sign/certificate.ts');
  await readCertificates(bytes, file);
  return bytes;
}
