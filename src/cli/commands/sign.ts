import type { CommandModule } from 'yargs';
import { openSigning, type SigningArguments, signingOptions } from '../options/signing-options.ts';
import { interruptible } from '../session/interruption.ts';

interface SignArguments extends SigningArguments {
  packages: string[];
  'header-and-payload': boolean | undefined;
  json: boolean;
}

export const signCommand: CommandModule<object, SignArguments> = {
  command: 'sign <packages..>',
  describe: 'Sign packages where they stand',
  builder: (yargs) =>
    signingOptions(yargs.positional('packages', { type: 'string', array: true, demandOption: true }))
      .option('header-and-payload', {
        type: 'boolean',
        describe: 'RPM: also a signature as rpm before 4.14 wants it',
        defaultDescription: 'with RSA, where no zstd is',
      })
      .option('json', { type: 'boolean', default: false, describe: 'What was signed as JSON, one a line' })
      .example('$0 sign dist/*.rpm --key packages.key', 'Signatures in the headers, which rpm and dnf check')
      .example('$0 sign dist/*.rpm --key gpg:FINGERPRINT', 'With a key that gpg can use: agent, card, HSM')
      .example('$0 sign dist/*.deb', 'debsig signatures; apt checks the index instead'),
  handler: async (args) => {
    const { signPackages } = await import('../../pipeline/sign.ts');
    const { renderSigned } = await import('../render/keys.ts');
    const { signers, date } = await openSigning(args);
    const [signer] = signers;
    const signal = interruptible();
    const signed = await signPackages(args.packages, signer, {
      date,
      headerAndPayload: args['header-and-payload'],
      signal,
      onSigned: (each) => {
        if (args.json) process.stdout.write(`${JSON.stringify(each)}\n`);
      },
    });
    if (!args.json) process.stdout.write(`${renderSigned(signed, signer, date)}\n`);
  },
};
