import { KubeparcelError } from '../../../support/errors.ts';
import { defineCommand, toggle, VALUE } from '../../options/flags.ts';
import { KEYS_POSITIONAL } from '../../options/signing-options.ts';

export const keysExportCommand = defineCommand({
  command: 'export [keys..]',
  describe: 'Export public keys',
  builder: (yargs) =>
    yargs
      .positional('keys', KEYS_POSITIONAL)
      .option('binary', toggle('Write binary packets (.gpg), not ASCII armor'))
      .option('out', { ...VALUE, describe: 'Output file', defaultDescription: 'standard output' })
      .example('$0 keys export packages.key', 'ASCII armor, for rpm --import and gpgkey=')
      .example('$0 keys export packages.key --binary --out packages.gpg', 'For Signed-By in apt sources'),
  handler: async (args) => {
    const { openCertificates } = await import('../../../sign/open-keys.ts');
    const { publicKeyFile } = await import('../../../sign/certificate.ts');
    const { writeAtomically } = await import('../../../support/write-atomically.ts');
    if (args.binary && args.out === undefined && process.stdout.isTTY) {
      throw new KubeparcelError('usage', 'refusing to write binary data to the terminal', {
        hint: 'write to a file with --out FILE',
      });
    }
    const certificates = await openCertificates(args.keys ?? [], process.env);
    const bytes = publicKeyFile(certificates, args.binary ? 'binary' : 'armored');
    if (args.out === undefined) process.stdout.write(bytes);
    else await writeAtomically(args.out, [bytes]);
  },
});
