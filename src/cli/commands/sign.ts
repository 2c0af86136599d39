import { defineCommand, JSON_LINES } from '../options/flags.ts';
import { openSigning, signingOptions } from '../options/signing-options.ts';
import { interruptible } from '../session/interruption.ts';

export const signCommand = defineCommand({
  command: 'sign <packages..>',
  describe: 'Sign packages in place',
  builder: (yargs) =>
    signingOptions(
      yargs.positional('packages', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: '.deb and .rpm files',
      }),
    )
      .option('header-and-payload', {
        type: 'boolean',
        describe: 'RPM: add the signature that rpm before 4.14 needs',
        defaultDescription: 'with RSA keys, unless zstd is used',
      })
      .option('json', JSON_LINES)
      .example('$0 sign dist/*.rpm --key packages.key', 'Header signatures, which rpm and dnf check')
      .example('$0 sign dist/*.rpm --key gpg:FINGERPRINT', 'A key that gpg manages: agent, smart card, HSM')
      .example('$0 sign dist/*.deb', 'debsig signatures; apt does not check them'),
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
});
