import type { CommandModule } from 'yargs';
import { repoAddCommand } from './add.ts';
import { repoBundleCommand } from './bundle.ts';
import { repoPromoteCommand, repoPruneCommand, repoRemoveCommand } from './change.ts';
import { repoCheckCommand } from './check.ts';
import { repoIndexCommand, repoSignCommand } from './index-command.ts';
import { repoProvidedCommand } from './provided.ts';
import { repoPublishCommand } from './publish.ts';
import { repoServeCommand } from './serve.ts';
import { repoSiteCommand } from './site.ts';
import { repoVerifyCommand } from './verify.ts';

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
      .command(repoCheckCommand)
      .command(repoProvidedCommand)
      .command(repoPublishCommand)
      .command(repoServeCommand)
      .command(repoSiteCommand)
      .command(repoBundleCommand)
      .demandCommand(1, 'name a command'),
  handler: () => {},
};
