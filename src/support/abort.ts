/** The same chunks, until the signal is aborted: its reason ends them then. */
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

/** As the promise settles, or with the signal's reason when that comes first: what is behind the promise is not waited for. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? promise : Promise.race([promise, abortOf(signal)]);
}

const aborts = new WeakMap<AbortSignal, Promise<never>>();

/** One for all who wait, since Node warns of signals with many listeners. */
function abortOf(signal: AbortSignal): Promise<never> {
  const known = aborts.get(signal);
  if (known !== undefined) return known;
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  aborts.set(signal, aborted);
  return aborted;
}
