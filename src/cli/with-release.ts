import type { FetchedRelease } from '../payload/fetch.ts';
import type { ContentStore } from '../payload/store.ts';
import type { OnPipelineEvent } from '../pipeline/events.ts';
import type { Prepared, Settings } from '../pipeline/prepare.ts';
import { progressView } from './render/progress.ts';

/** What a command that makes something of a release works with. */
export interface ReleaseSession {
  readonly prepared: Prepared;
  readonly store: ContentStore;
  readonly onEvent: OnPipelineEvent;
  readonly signal: AbortSignal;
  /** Brings the payload into the store, verified. */
  fetch(): Promise<FetchedRelease>;
}

/**
 * Finds the release, hands it to `make` with progress on display, and shows what that returns, unless the events were
 * asked for as JSON. Source and display are closed whatever happens.
 */
export async function withRelease(
  settings: Settings,
  options: { readonly json: boolean; readonly signal: AbortSignal },
  make: (session: ReleaseSession) => Promise<string>,
): Promise<void> {
  const { prepare } = await import('../pipeline/prepare.ts');
  const { fetchPayload } = await import('../payload/fetch.ts');
  const { openStore } = await import('../payload/store.ts');
  const view = progressView(options);
  const context = { onEvent: view.onEvent, signal: options.signal };
  try {
    const prepared = await prepare(settings, context);
    try {
      const store = await openStore();
      const fetch = () => fetchPayload({ ...prepared, ...context, store });
      const text = await make({ prepared, store, fetch, ...context });
      view.stop();
      if (!options.json) process.stdout.write(`${text}\n`);
    } finally {
      await prepared.source.close();
    }
  } finally {
    view.stop();
  }
}
