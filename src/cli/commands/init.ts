import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../support/errors.ts';

interface InitArguments {
  file: string;
}

export const initCommand: CommandModule<object, InitArguments> = {
  command: 'init [file]',
  describe: 'Write a commented kubeparcel.yaml',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'kubeparcel.yaml', describe: 'Where to' })
      .example('$0 init', 'kubeparcel.yaml in this directory; one that is there is left alone'),
  handler: async ({ file }) => {
    const { writeFile } = await import('node:fs/promises');
    const { configTemplate } = await import('../../config/template.ts');
    try {
      await writeFile(file, configTemplate(), { flag: 'wx' });
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
        throw new KubeparcelError('io', 'this file is there already', { where: file, hint: 'name another one' });
      }
      throw cause;
    }
    process.stdout.write(`wrote ${file}; every setting in it is optional\n`);
  },
};
