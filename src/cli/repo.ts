import type { CommandModule } from 'yargs';
import { repoAddCommand } from './repo-add.ts';
import { repoPromoteCommand, repoPruneCommand, repoRemoveCommand } from './repo-change.ts';
import { repoIndexCommand, repoSignCommand } from './repo-index.ts';
import { repoProvidedCommand } from './repo-provided.ts';
import { repoVerifyCommand } from './repo-verify.ts';

export const repoCommand: CommandModule = {
  command: 'repo <command>',
  describe: 'Make, check and publish apt and rpm-md repositories',
  builder: (yargs) =>
    yargs
      .command(repoAddCommand)
      .command(repoRemoveCommand)
      .command(repoPruneCommand)
      .command(repoPromoteCommand)
      .command(repoIndexCommand)
      .command(repoSignCommand)
      .command(repoVerifyCommand)
      .command(repoProvidedCommand)
      .demandCommand(1, 'name a command'),
  handler: () => {},
};
