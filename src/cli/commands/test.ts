import { CONFIG, defineCommand, IMAGES, JSON_LINES, LIST, NUMBER, toggle, VALUE } from '../options/flags.ts';
import { shellCommand } from './test-shell.ts';

export const testCommand = defineCommand({
  command: 'test [release]',
  describe: 'Test packages in containers',
  builder: (yargs) =>
    yargs
      .command(shellCommand)
      .positional('release', {
        type: 'string',
        describe: 'Build and test this release: v1.36.4, 1.36, stable',
        defaultDescription: 'the embedded sample',
      })
      .option('distro', {
        ...LIST,
        describe: 'Hosts: debian-12, dnf, deb, ... (see kubeparcel images ls)',
        defaultDescription: 'all available',
      })
      .option('scenario', {
        ...LIST,
        describe: 'Scenarios by name or group (see --list)',
        defaultDescription: 'all',
      })
      .option('packages', { ...VALUE, describe: 'Test the .deb and .rpm files in this directory' })
      .option('source', { ...VALUE, describe: 'Source of the release, as for build' })
      .option('control-plane', {
        ...VALUE,
        describe: 'Directory with etcd, kube-apiserver and kube-controller-manager',
      })
      .option('images', IMAGES)
      .option('jobs', {
        ...NUMBER,

        describe: 'Scenarios to run in parallel',
        defaultDescription: 'one per core',
      })
      .option('keep', toggle('Keep the containers of failed scenarios'))
      .option('junit', { ...VALUE, describe: 'Write the results as JUnit XML to this file' })
      .option('report', { ...VALUE, describe: 'Write a report with every check and command to this file' })
      .option('config', CONFIG)
      .option('list', toggle('List the scenarios and exit'))
      .option('clean', toggle('Remove the containers of earlier runs'))
      .option('json', JSON_LINES)
      .conflicts('packages', ['release', 'source'])
      .example('$0 test', 'Test the sample: all scenarios, all available hosts')
      .example('$0 test --packages dist --distro debian-12', 'Test built packages on one host')
      .example('$0 test --scenario upgrade --keep', 'One group; keep containers of failed scenarios')
      .example('$0 test shell NAME', 'Open a shell in a kept container')
      .epilogue(
        'Exit status: 8 if a check failed. See docs/testing.md for scenarios and docs/containers.md for hosts.',
      ),
  handler: async (args) => {
    const { cleanContainers, listScenarios, runTest } = await import('./run-test.ts');
    if (args.clean) await cleanContainers();
    else if (args.list) await listScenarios(args);
    else await runTest(args);
  },
});
