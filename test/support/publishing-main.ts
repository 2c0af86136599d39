import { INDEX_FILE } from '../../src/repo/model/index-file.ts';
import { openTarget } from '../../src/repo/publish/open-target.ts';
import { publish } from '../../src/repo/publish/publish.ts';

// Publishes a repository for tests that kill the process: node publishing-main.js DIRECTORY TARGET
const [directory = '', target = ''] = process.argv.slice(2);
const opened = await openTarget(target);
process.stdout.write('begins\n');
await publish({
  directory,
  marker: INDEX_FILE,
  target: opened,
  dryRun: false,
  keep: false,
  onEvent: (event) => process.stdout.write(`${event.type}\n`),
});
await opened.close();
process.stdout.write('done\n');
