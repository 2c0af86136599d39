import type { CommandModule } from 'yargs';
import type { Format } from '../../../model/format.ts';
import { DEFAULT_MAINTAINER, WORD } from '../../options/release-options.ts';

interface PackageArguments {
  keys: string[] | undefined;
  name: string | undefined;
  formats: Format[] | undefined;
  maintainer: string;
  homepage: string | undefined;
  out: string;
}

export const keysPackageCommand: CommandModule<object, PackageArguments> = {
  command: 'package [keys..]',
  describe: 'Make the packages that bring public keys to hosts',
  builder: (yargs) =>
    yargs
      .positional('keys', {
        type: 'string',
        array: true,
        describe: 'Files with public or private keys, gpg:FINGERPRINT',
        defaultDescription: '$KUBEPARCEL_SIGNING_KEY',
      })
      .option('name', { ...WORD, describe: "Package's name", defaultDescription: 'kubeparcel-archive-keyring' })
      .option('formats', {
        type: 'string',
        array: true,
        nargs: 1,
        requiresArg: true,
        choices: ['deb', 'rpm'] as const,
        describe: 'deb, rpm',
        defaultDescription: 'both',
      })
      .option('maintainer', { ...WORD, default: DEFAULT_MAINTAINER, describe: '"Name <address>"' })
      .option('homepage', { ...WORD, describe: 'Where the repository is described' })
      .option('out', { ...WORD, default: 'dist', describe: 'Where the packages go' })
      .example('$0 keys package old.key new.key', 'Both keys while one takes over from the other'),
  handler: async (args) => {
    const { mkdir } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const { openCertificates } = await import('../../../sign/open-certificates.ts');
    const { keyringLayout, loadKeyring } = await import('../../../sign/keyring-package.ts');
    const { writeKeyring } = await import('../../../pipeline/keyring.ts');
    const { renderKeyring } = await import('../../render/keys.ts');
    const certificates = await openCertificates(args.keys ?? [], process.env);
    const definition = await loadKeyring();
    const { name, maintainer, homepage } = args;
    const written = [];
    await mkdir(join(args.out), { recursive: true });
    for (const format of args.formats ?? (['deb', 'rpm'] as const)) {
      const layout = await keyringLayout({ definition, format, certificates, name, maintainer, homepage });
      written.push(await writeKeyring(layout, definition.compression[format], args.out));
    }
    process.stdout.write(`${renderKeyring(written)}\n`);
  },
};
