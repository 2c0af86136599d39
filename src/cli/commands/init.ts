import { KubeparcelError } from '../../support/errors.ts';
import { defineCommand } from '../options/flags.ts';

export const initCommand = defineCommand({
  command: 'init [file]',
  describe: 'Write a commented kubeparcel.yaml',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', default: 'kubeparcel.yaml', describe: 'File to write' })
      .example('$0 init', 'Write kubeparcel.yaml; do not overwrite a file'),
  handler: async ({ file }) => {
    const { writeFile } = await import('node:fs/promises');
    const { configTemplate } = await import('../../config/template.ts');
    try {
      await writeFile(file, configTemplate(), { flag: 'wx' });
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
        throw new KubeparcelError('io', 'the file already exists', {
          where: file,
          hint: 'choose another name or remove the file',
        });
      }
      throw cause;
    }
    process.stdout.write(`wrote ${file}; all settings are optional\n`);
  },
});
