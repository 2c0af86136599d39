import { EXIT_STATUS } from '../../../support/errors.ts';
import { defineCommand, JSON_OUTPUT } from '../../options/flags.ts';
import { KEYS_POSITIONAL } from '../../options/signing-options.ts';

export const keysCheckCommand = defineCommand({
  command: 'check [keys..]',
  describe: 'Show expiry and compatibility of keys',
  builder: (yargs) =>
    yargs
      .positional('keys', KEYS_POSITIONAL)
      .option('json', JSON_OUTPUT)
      .example('$0 keys check packages.key', 'Exit status 5 if a key can no longer sign'),
  handler: async (args) => {
    const { openCertificates } = await import('../../../sign/open-keys.ts');
    const { checkKey } = await import('../../../sign/check-key.ts');
    const { loadVerifiers } = await import('../../../sign/check-key.ts');
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
});
