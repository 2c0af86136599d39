/** Yields the chunks; throws the signal's reason once the signal is aborted. */
export async function* untilAborted<T>(
  chunks: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal | undefined,
): AsyncGenerator<T, void, undefined> {
  signal?.throwIfAborted();
  for await (const chunk of chunks) {
    yield chunk;
    signal?.throwIfAborted();
  }
}

/** Settles like the promise, or rejects with the signal's reason if the signal is aborted first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? promise : Promise.race([promise, abortPromise(signal)]);
}

const aborts = new WeakMap<AbortSignal, Promise<never>>();

/** Returns one shared promise per signal, because Node warns about signals with many listeners. */
function abortPromise(signal: AbortSignal): Promise<never> {
  const existing = aborts.get(signal);
  if (existing !== undefined) return existing;
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  aborts.set(signal, aborted);
  return aborted;
}
