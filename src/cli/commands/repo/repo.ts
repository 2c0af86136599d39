import type { CommandModule } from 'yargs';
import { repoAddCommand } from './add.ts';
import { repoBundleCommand } from './bundle.ts';
import { repoCheckCommand } from './check.ts';
import { repoPromoteCommand } from './promote.ts';
import { repoProvidedCommand } from './provided.ts';
import { repoPruneCommand } from './prune.ts';
import { repoPublishCommand } from './publish.ts';
import { repoIndexCommand } from './reindex.ts';
import { repoRemoveCommand } from './remove.ts';
import { repoServeCommand } from './serve.ts';
import { repoSignCommand } from './sign.ts';
import { repoSiteCommand } from './site.ts';
import { repoVerifyCommand } from './verify.ts';

export const repoCommand: CommandModule = {
  command: 'repo',
  describe: 'Manage apt and rpm-md repositories',
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
      .demandCommand(1, 'missing command, for example add, verify or publish'),
  handler: () => {},
};
