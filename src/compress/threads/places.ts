/** A bounded number of places that are waited for: who has the higher rank goes first, and who came first among equals. */
export interface Places {
  /** Resolves to what gives the place back. */
  take(rank: number): Promise<() => void>;
}

/** @param signal with it aborted, whoever waits or comes is refused with its reason */
export function createPlaces(count: number, signal?: AbortSignal): Places {
  let free = count;
  const waiting: { readonly rank: number; enter(): void; refuse(): void }[] = [];
  signal?.addEventListener('abort', () => {
    for (const one of waiting.splice(0)) one.refuse();
  });
  const leave = () => {
    free += 1;
    if (waiting.length === 0) return;
    const first = waiting.reduce((best, each, index) => (each.rank > (waiting[best]?.rank ?? 0) ? index : best), 0);
    free -= 1;
    waiting.splice(first, 1)[0]?.enter();
  };
  const once = () => {
    let left = false;
    return () => {
      if (!left) leave();
      left = true;
    };
  };
  return {
    take: (rank) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        if (free > 0) {
          free -= 1;
          resolve(once());
        } else {
          waiting.push({ rank, enter: () => resolve(once()), refuse: () => reject(signal?.reason) });
        }
      }),
  };
}
