interface Waiter {
  readonly priority: number;
  resolve(release: () => void): void;
  reject(reason: unknown): void;
}

/** A fixed number of slots. Waiting requests get a slot by priority (highest first), then in order of arrival. */
export class SlotQueue {
  readonly #signal: AbortSignal | undefined;
  readonly #waiting: Waiter[] = [];
  #free: number;

  /** @param signal when aborted, waiting and later requests are rejected with its reason */
  constructor(slots: number, signal?: AbortSignal | undefined) {
    this.#free = slots;
    this.#signal = signal;
    signal?.addEventListener('abort', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(signal.reason);
    });
  }

  /** @returns a function that releases the slot; calling it again does nothing */
  acquire(priority: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      this.#signal?.throwIfAborted();
      this.#waiting.push({ priority, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    if (this.#free === 0 || this.#waiting.length === 0) return;
    const priority = Math.max(...this.#waiting.map((waiter) => waiter.priority));
    const index = this.#waiting.findIndex((waiter) => waiter.priority === priority);
    const [first] = this.#waiting.splice(index, 1);
    this.#free -= 1;
    let released = false;
    first?.resolve(() => {
      if (released) return;
      released = true;
      this.#free += 1;
      this.#next();
    });
  }
}
