import type { CommandModule } from 'yargs';
import { EXIT_STATUS, KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { keysNewCommand } from './new.ts';
import { keysPackageCommand } from './package.ts';

export const keysCommand: CommandModule = {
  command: 'keys <command>',
  describe: 'Make, check, export and package signing keys',
  builder: (yargs) =>
    yargs
      .command(keysNewCommand)
      .command(keysExportCommand)
      .command(keysCheckCommand)
      .command(keysPackageCommand)
      .demandCommand(1, 'name a command'),
  handler: () => {},
};

interface ExportArguments {
  keys: string[] | undefined;
  binary: boolean;
  out: string | undefined;
}

const keysExportCommand: CommandModule<object, ExportArguments> = {
  command: 'export [keys..]',
  describe: 'Write the public half of keys',
  builder: (yargs) =>
    yargs
      .positional('keys', KEYS_POSITIONAL)
      .option('binary', { type: 'boolean', default: false, describe: "As apt's Signed-By reads it (.gpg)" })
      .option('out', { ...WORD, describe: 'File', defaultDescription: 'standard output' })
      .example('$0 keys export packages.key', 'ASCII-armored: for rpm --import and gpgkey=')
      .example('$0 keys export packages.key --binary --out packages.gpg', 'For /etc/apt/keyrings'),
  handler: async (args) => {
    const { openCertificates } = await import('../../../sign/open-certificates.ts');
    const { publicKeyFile } = await import('../../../sign/public-key-file.ts');
    const { writeAtomically } = await import('../../../support/write-atomically.ts');
    if (args.binary && args.out === undefined && process.stdout.isTTY) {
      throw new KubeparcelError('usage', 'binary packets would go to the terminal', { hint: 'name a file with --out' });
    }
    const certificates = await openCertificates(args.keys ?? [], process.env);
    const bytes = publicKeyFile(certificates, args.binary ? 'binary' : 'armored');
    if (args.out === undefined) process.stdout.write(bytes);
    else await writeAtomically(args.out, [bytes]);
  },
};

interface CheckArguments {
  keys: string[] | undefined;
  json: boolean;
}

const keysCheckCommand: CommandModule<object, CheckArguments> = {
  command: 'check [keys..]',
  describe: 'Say what keys can sign, until when, and who takes it',
  builder: (yargs) =>
    yargs
      .positional('keys', KEYS_POSITIONAL)
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 keys check packages.key', 'Ends with status 5 when a key cannot sign any more'),
  handler: async (args) => {
    const { openCertificates } = await import('../../../sign/open-certificates.ts');
    const { checkKey } = await import('../../../sign/check-key.ts');
    const { loadVerifiers } = await import('../../../sign/verifiers.ts');
    const { renderKeyReports } = await import('../../render/keys.ts');
    const verifiers = await loadVerifiers();
    const now = Math.floor(Date.now() / 1000);
    const reports = [];
    for (const certificate of await openCertificates(args.keys ?? [], process.env)) {
      reports.push(await checkKey(certificate, verifiers, now));
    }
    process.stdout.write(`${args.json ? JSON.stringify(reports, undefined, 2) : renderKeyReports(reports)}\n`);
    if (reports.some(({ fault }) => fault !== undefined)) process.exitCode = EXIT_STATUS.verification;
  },
};

const KEYS_POSITIONAL = {
  type: 'string',
  array: true,
  describe: 'Files with public or private keys, gpg:FINGERPRINT',
  defaultDescription: '$KUBEPARCEL_SIGNING_KEY',
} as const;
