import { fetchPayload } from '../../payload/fetch.ts';
import { openStore } from '../../payload/store/content-store.ts';
import { composeLayouts, prepare, type Settings } from '../../pipeline/prepare.ts';
import { writePackages } from '../../pipeline/run.ts';
import { type OfficialLayouts, officialLayouts } from './official-layout.ts';

/**
 * Builds packages into a directory, like `kubeparcel build`.
 *
 * @param options.official use the layout of the official packages
 */
export async function buildSet(
  settings: Settings,
  out: string,
  options: { readonly official?: OfficialLayouts; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const context = options.signal === undefined ? {} : { signal: options.signal };
  const prepared = await prepare(settings, context);
  try {
    const store = await openStore();
    const { payload } = await fetchPayload({ ...prepared, ...context, store });
    const jobs = composeLayouts(prepared, payload);
    const packages = options.official === undefined ? jobs : officialLayouts(jobs, options.official, payload.version);
    await writePackages(packages, { ...context, objects: store, out, jobs: settings.jobs });
  } finally {
    await prepared.source.close();
  }
}
