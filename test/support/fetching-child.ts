import { fetchPayload } from '../../src/payload/fetch.ts';
import { openSource } from '../../src/payload/sources/open-source.ts';
import { openStore } from '../../src/payload/store/content-store.ts';
import { resolveRelease } from '../../src/release/resolve.ts';
import { parseVersionRequest } from '../../src/release/version-request.ts';

// Fetches a release from a server into a store, for tests that kill this process: node fetching-child.js URL STORE PACKAGING
const [url = '', directory = '', packaging = ''] = process.argv.slice(2);
const source = await openSource(url, { packaging, http: { firstDelay: 1, longestDelay: 5 } });
const release = await resolveRelease(parseVersionRequest('1.36.4'), {
  source,
  pins: { cniPlugins: '1.8.0', criTools: '1.36.0' },
  architectures: ['amd64'],
});
process.stdout.write('resolved\n');
await fetchPayload({
  release,
  source,
  store: await openStore(directory),
  onEvent: (event) => process.stdout.write(`${event.kind}\n`),
});
await source.close();
process.stdout.write('done\n');
