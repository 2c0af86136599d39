import type { OnProgressEvent } from '../../assembly/events.ts';
import { type FetchedRelease, fetchPayload, type OnFiles } from '../../payload/fetch.ts';
import type { ContentStore } from '../../payload/store/content-store.ts';
import { type Prepared, prepare, type Settings } from '../../pipeline/prepare.ts';
import { progressView } from '../render/progress.ts';
import { interruptible } from './interruption.ts';

/** What commands that work on a release need. */
export interface ReleaseContext {
  readonly prepared: Prepared;
  readonly onEvent: OnProgressEvent;
  readonly signal: AbortSignal;
  /** Downloads the payload into the content store and verifies it. */
  fetch(store: ContentStore, onFiles?: OnFiles): Promise<FetchedRelease>;
}

/**
 * Resolves the release, shows progress while `work` runs, and prints the text that `work` returns (with `json`, only
 * the events). Closes the source and the progress display in any case.
 */
export async function withPreparedRelease(
  settings: Settings,
  options: { readonly json: boolean },
  work: (context: ReleaseContext) => Promise<string>,
): Promise<void> {
  const view = await progressView(options);
  const context = { onEvent: view.onEvent, signal: interruptible() };
  try {
    const prepared = await prepare(settings, context);
    try {
      const fetch = (store: ContentStore, onFiles?: OnFiles) =>
        fetchPayload({ ...prepared, ...context, store, onFiles });
      const text = await work({ prepared, fetch, ...context });
      view.stop();
      if (!options.json) process.stdout.write(`${text}\n`);
    } finally {
      await prepared.source.close();
    }
  } finally {
    view.stop();
  }
}
