/** Yields the chunks; throws the reason of the signal once it is aborted. */
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

/** Settles like the promise, or rejects with the reason of the signal if that is aborted first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return signal === undefined ? promise : Promise.race([promise, abortOf(signal)]);
}

const aborts = new WeakMap<AbortSignal, Promise<never>>();

/** One promise per signal: Node warns about signals with many listeners. */
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
