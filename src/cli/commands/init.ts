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
    const { rm, writeFile } = await import('node:fs/promises');
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
      if (!(cause instanceof Error && 'syscall' in cause && cause.syscall === 'write')) throw cause;
      // The disk is full: remove the incomplete file. Errors of write(2) do not name it.
      await rm(file, { force: true });
      throw Object.assign(cause, { path: file });
    }
    process.stdout.write(`wrote ${file}; all settings are optional\n`);
  },
});
