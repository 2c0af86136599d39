import { defineCommand } from '../options/flags.ts';

export const templatesCommand = defineCommand({
  command: 'templates <action> [dir]',
  describe: 'List or copy the templates',
  builder: (yargs) =>
    yargs
      .positional('action', {
        choices: ['list', 'eject'],
        demandOption: true,
        describe: 'List the templates, or copy them for editing',
      })
      .positional('dir', { type: 'string', default: 'templates', describe: 'Directory to copy to' })
      .example('$0 templates eject ./templates', 'Copy the templates; then set templates: ./templates')
      .epilogue('Existing files are not overwritten. Keep only the templates that you change.'),
  handler: async ({ action, dir }) => {
    const { loadTemplates } = await import('../../layout/templates.ts');
    const { files } = await loadTemplates();
    if (action === 'list') {
      process.stdout.write(`${files.map(({ name }) => name).join('\n')}\n`);
      return;
    }
    const { outputFile } = await import('fs-extra/esm');
    const { join } = await import('node:path');
    for (const { name, text } of files) {
      const path = join(dir, name);
      const exists = await outputFile(path, text, { flag: 'wx' }).then(() => false, isExisting);
      process.stdout.write(`${exists ? 'exists' : 'wrote '}  ${path}\n`);
    }
  },
});

function isExisting(error: NodeJS.ErrnoException): true {
  if (error.code === 'EEXIST') return true;
  throw error;
}
