import type { OnProgressEvent } from '../../assembly/events.ts';
import { type FetchedRelease, fetchPayload, type OnFiles } from '../../payload/fetch.ts';
import type { ContentStore } from '../../payload/store/content-store.ts';
import { type Prepared, prepare, type Settings } from '../../pipeline/prepare.ts';
import { progressView } from '../render/progress.ts';
import { interruptible } from './interruption.ts';

/** What a command that makes something of a release works with. */
export interface ReleaseSession {
  readonly prepared: Prepared;
  readonly onEvent: OnProgressEvent;
  readonly signal: AbortSignal;
  /** Brings the payload into the content store, verified; without it nothing is written anywhere. */
  fetch(store: ContentStore, onFiles?: OnFiles): Promise<FetchedRelease>;
}

/**
 * Finds the release, hands it to `make` with progress on display, and shows what that returns, unless the events were
 * asked for as JSON. Source and display are closed whatever happens.
 */
export async function withRelease(
  settings: Settings,
  options: { readonly json: boolean },
  make: (session: ReleaseSession) => Promise<string>,
): Promise<void> {
  const view = await progressView(options);
  const context = { onEvent: view.onEvent, signal: interruptible() };
  try {
    const prepared = await prepare(settings, context);
    try {
      const fetch = (store: ContentStore, onFiles?: OnFiles) =>
        fetchPayload({ ...prepared, ...context, store, onFiles });
      const text = await make({ prepared, fetch, ...context });
      view.stop();
      if (!options.json) process.stdout.write(`${text}\n`);
    } finally {
      await prepared.source.close();
    }
  } finally {
    view.stop();
  }
}
