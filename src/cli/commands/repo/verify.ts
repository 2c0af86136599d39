import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { isFault, STATE_DIRECTORY } from '../../../repo/model/repository.ts';
import { EXIT_STATUS, KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface VerifyArguments {
  target: string;
  quick: boolean;
  keyring: string | undefined;
  endpoint: string | undefined;
  region: string | undefined;
  json: boolean;
}

export const repoVerifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify <target>',
  describe: 'Prove that a repository is whole and signed',
  builder: (yargs) =>
    yargs
      .positional('target', {
        type: 'string',
        demandOption: true,
        describe: "A repository's directory, or what was published: a directory, s3://BUCKET/PREFIX, https://HOST/PATH",
      })
      .option('quick', { type: 'boolean', default: false, describe: 'Sizes of packages, no digests' })
      .option('keyring', {
        ...WORD,
        describe: 'File of the public keys that must have signed',
        defaultDescription: "the repository's own",
      })
      .option('endpoint', { ...WORD, describe: "URL of an S3 storage that is not Amazon's" })
      .option('region', { ...WORD, describe: 'Region of the bucket', defaultDescription: "the environment's" })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 repo verify site', 'Ends with status 5 when anything is not as it must be')
      .example('$0 repo verify site --keyring packages.asc', 'Also says that it is yours')
      .example('$0 repo verify https://packages.example.org --quick', 'As apt and dnf see it')
      .example('$0 repo verify s3://packages/kubernetes --keyring packages.asc', 'In storage')
      .epilogue(
        'Of a repository it proves that there is what its state says and nothing else. Of a copy (published, or of ' +
          'a mirror) it proves what clients rely on: signatures, indices, packages. Without --keyring the keys are ' +
          "the repository's own, which proves that it is whole, not whose it is.",
      ),
  handler: async (args) => {
    const { renderVerified } = await import('../../render/repo.ts');
    const keys = args.keyring === undefined ? undefined : await readKeyring(args.keyring);
    const report = await verify(args, keys);
    process.stdout.write(`${args.json ? JSON.stringify(report) : renderVerified(args.target, report)}\n`);
    if (report.findings.some(isFault)) process.exitCode = EXIT_STATUS.verification;
  },
};

async function verify({ target, quick, endpoint, region }: VerifyArguments, keys: Uint8Array | undefined) {
  const signal = interruptible();
  if (await hasState(target)) {
    const { verifyRepository } = await import('../../../repo/verify/verify.ts');
    return verifyRepository(target, { quick, signal, ...(keys === undefined ? {} : { keys }) });
  }
  const { verifyPublished } = await import('../../../repo/verify/verify-published.ts');
  const { byteProgress } = await import('../../render/byte-progress.ts');
  const { onProgress, stop } = byteProgress('packages');
  try {
    return await verifyPublished(target, { quick, keys, endpoint, region, signal, onProgress });
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
    throw new KubeparcelError('io', 'the public keys cannot be read', { where: file, cause });
  }
  const { readCertificates } = await import('../../../sign/certificate.ts');
  await readCertificates(bytes, file);
  return bytes;
}
