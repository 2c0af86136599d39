import type { CommandModule } from 'yargs';
import { keysCheckCommand } from './check.ts';
import { keysExportCommand } from './export.ts';
import { keysNewCommand } from './new.ts';
import { keysPackageCommand } from './package.ts';

export const keysCommand: CommandModule = {
  command: 'keys',
  describe: 'Manage signing keys',
  builder: (yargs) =>
    yargs
      .command(keysNewCommand)
      .command(keysExportCommand)
      .command(keysCheckCommand)
      .command(keysPackageCommand)
      .demandCommand(1, 'missing command: new, export, check or package'),
  handler: () => {},
};
