import type { CommandModule } from 'yargs';

interface TemplatesArguments {
  action: string;
  directory: string;
}

export const templatesCommand: CommandModule<object, TemplatesArguments> = {
  command: 'templates <action> [directory]',
  describe: 'List the templates, or copy them out to change them',
  builder: (yargs) =>
    yargs
      .positional('action', { choices: ['list', 'eject'], demandOption: true, describe: 'What to do' })
      .positional('directory', { type: 'string', default: 'templates', describe: 'Where to eject to' })
      .example('$0 templates eject ./templates', 'Then set templates: ./templates in kubeparcel.yaml')
      .epilogue('Files that are there already are left alone. Keep only the templates that you change.'),
  handler: async ({ action, directory }) => {
    const { loadTemplates } = await import('../../layout/templates.ts');
    const { files } = await loadTemplates();
    if (action === 'list') {
      process.stdout.write(`${files.map(({ name }) => name).join('\n')}\n`);
      return;
    }
    const { mkdir, writeFile } = await import('node:fs/promises');
    const { dirname, join } = await import('node:path');
    for (const { name, text } of files) {
      const path = join(directory, name);
      await mkdir(dirname(path), { recursive: true });
      const there = await writeFile(path, text, { flag: 'wx' }).then(() => false, isThere);
      process.stdout.write(`${there ? 'is there ' : 'wrote    '} ${path}\n`);
    }
  },
};

function isThere(error: NodeJS.ErrnoException): true {
  if (error.code === 'EEXIST') return true;
  throw error;
}
