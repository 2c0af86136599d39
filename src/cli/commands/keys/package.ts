import { FORMATS } from '../../../model/format.ts';
import { choices, defineCommand, VALUE } from '../../options/flags.ts';
import { DEFAULT_MAINTAINER } from '../../options/release-options.ts';
import { KEYS_POSITIONAL } from '../../options/signing-options.ts';

export const keysPackageCommand = defineCommand({
  command: 'package [keys..]',
  describe: 'Build keyring packages',
  builder: (yargs) =>
    yargs
      .positional('keys', KEYS_POSITIONAL)
      .option('name', { ...VALUE, describe: 'Name of the package', defaultDescription: 'kubeparcel-archive-keyring' })
      .option('formats', { ...choices(FORMATS), describe: 'Package formats', defaultDescription: 'both' })
      .option('maintainer', { ...VALUE, default: DEFAULT_MAINTAINER, describe: 'Maintainer: "Name <address>"' })
      .option('homepage', { ...VALUE, describe: 'URL of the homepage' })
      .option('out', { ...VALUE, default: 'dist', describe: 'Output directory' })
      .example('$0 keys package old.key new.key', 'Install both keys on hosts, for a key rotation'),
  handler: async (args) => {
    const { mkdir } = await import('node:fs/promises');
    const { join } = await import('node:path');
    const { openCertificates } = await import('../../../sign/open-keys.ts');
    const { keyringLayout, loadKeyring } = await import('../../../sign/keyring-package.ts');
    const { writeKeyring } = await import('../../../pipeline/keyring.ts');
    const { renderKeyring } = await import('../../render/keys.ts');
    const certificates = await openCertificates(args.keys ?? [], process.env);
    const definition = await loadKeyring();
    const { name, maintainer, homepage } = args;
    const written = [];
    await mkdir(join(args.out), { recursive: true });
    for (const format of args.formats ?? FORMATS) {
      const layout = await keyringLayout({ definition, format, certificates, name, maintainer, homepage });
      written.push(await writeKeyring(layout, definition.compression[format], args.out));
    }
    process.stdout.write(`${renderKeyring(written)}\n`);
  },
});
