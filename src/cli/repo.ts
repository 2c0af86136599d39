import type { CommandModule } from 'yargs';
import { repoAddCommand } from './repo-add.ts';
import { repoBundleCommand } from './repo-bundle.ts';
import { repoPromoteCommand, repoPruneCommand, repoRemoveCommand } from './repo-change.ts';
import { repoCheckCommand } from './repo-check.ts';
import { repoIndexCommand, repoSignCommand } from './repo-index.ts';
import { repoProvidedCommand } from './repo-provided.ts';
import { repoPublishCommand } from './repo-publish.ts';
import { repoServeCommand } from './repo-serve.ts';
import { repoSiteCommand } from './repo-site.ts';
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
      .command(repoCheckCommand)
      .command(repoProvidedCommand)
      .command(repoPublishCommand)
      .command(repoServeCommand)
      .command(repoSiteCommand)
      .command(repoBundleCommand)
      .demandCommand(1, 'name a command'),
  handler: () => {},
};
