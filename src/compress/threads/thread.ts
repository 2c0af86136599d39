import { Worker } from 'node:worker_threads';
import { KubeparcelError } from '../../support/errors.ts';
import { SlotQueue } from './slot-queue.ts';

/** Messages from a worker: that it is ready, or the result of a call. */
type Message<Answer> = 'ready' | { readonly answer: Answer } | { readonly failure: object };

export interface ThreadOptions<Call> {
  /** Call `start` when the thread starts instead of at the first call. */
  readonly eager?: boolean | undefined;
  /** Buffers of a call to transfer instead of copying them. */
  readonly transfer?: ((call: Call) => ArrayBuffer[]) | undefined;
  /** The same for answers; JavaScript source. */
  readonly transferAnswer?: string | undefined;
}

/** A worker that answers one call at a time. It keeps the process alive only during a call, and must be closed. */
export class Thread<Call, Answer> {
  /** Resolves when the thread runs and eager initialization is done; never settles if starting fails. */
  readonly ready: Promise<void>;
  readonly #worker: Worker;
  readonly #transfer: (call: Call) => ArrayBuffer[];
  #pending: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  #failure: Error | undefined;

  /**
   * @param start JavaScript source, because Node 20 cannot start a worker from a TypeScript file: a function
   *   expression; the function gets `data` and returns, or resolves to, a function from calls to answers
   * @throws KubeparcelError of kind 'io' if the system cannot start another thread
   */
  constructor(start: string, data: unknown, options: ThreadOptions<Call> = {}) {
    this.#worker = startWorker(workerSource(start, options), data);
    this.#transfer = options.transfer ?? (() => []);
    let isReady = () => {};
    this.ready = new Promise((resolve) => {
      isReady = resolve;
    });
    this.#worker.unref();
    this.#worker.on('message', (message: Message<Answer>) => {
      if (message === 'ready') isReady();
      else if ('answer' in message) this.#pending?.resolve(message.answer);
      else this.#pending?.reject(Object.assign(new Error(), definedOnly(message.failure)));
    });
    const fail = (error: Error) => {
      this.#failure ??= error;
      this.#pending?.reject(error);
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('the thread has ended')));
  }

  async run(call: Call): Promise<Answer> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#worker.ref();
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#pending = { resolve, reject };
        this.#worker.postMessage(call, this.#transfer(call));
      });
    } finally {
      this.#pending = undefined;
      this.#worker.unref();
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function workerSource<Call>(start: string, { eager, transferAnswer }: ThreadOptions<Call>): string {
  return `
const { parentPort, workerData } = require('node:worker_threads');
const start = async () => (${start})(workerData);
let started${eager === true ? ' = start()' : ''};
Promise.resolve(started).then(() => parentPort.postMessage('ready'), () => {});
parentPort.on('message', async (call) => {
  try {
    started ??= start();
    const answer = (await started)(call);
    parentPort.postMessage({ answer }, (${transferAnswer ?? '() => []'})(answer));
  } catch (error) {
    const { message, code, errno, syscall, path } = error;
    parentPort.postMessage({ failure: { message, code, errno, syscall, path } });
  }
});
`;
}

function startWorker(source: string, data: unknown): Worker {
  try {
    return new Worker(source, { eval: true, execArgv: [], workerData: data });
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot start another thread', {
      hint: 'raise the process limit (ulimit -u, the pids limit of the container), or lower --jobs',
      cause,
    });
  }
}

function definedOnly(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** At most `size` threads, started when they are first needed. */
export class ThreadPool<T extends Pick<Thread<unknown, unknown>, 'ready' | 'close'>> {
  readonly #size: number;
  readonly #start: () => T;
  readonly #slots: SlotQueue;
  readonly #idle: T[] = [];
  readonly #threads = new Set<T>();
  #closed = false;

  constructor(size: number, start: () => T) {
    this.#size = size;
    this.#start = start;
    this.#slots = new SlotQueue(size);
  }

  /** Runs `work` with an idle thread; replaces the thread if `work` fails. */
  async with<R>(work: (thread: T) => Promise<R>, priority = 0): Promise<R> {
    const release = await this.#slots.acquire(priority);
    try {
      if (this.#closed) throw new Error('the thread pool is closed');
      const thread = this.#idle.pop() ?? this.#add();
      try {
        const result = await work(thread);
        this.#idle.push(thread);
        return result;
      } catch (error) {
        // The thread itself may be broken, for example out of memory.
        this.#threads.delete(thread);
        await thread.close();
        throw error;
      }
    } finally {
      release();
    }
  }

  /** Starts all threads now, one after another, so that they do not slow down other work. */
  async fill(): Promise<void> {
    while (this.#threads.size < this.#size && !this.#closed) {
      const thread = this.#add();
      this.#idle.push(thread);
      await thread.ready;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  #add(): T {
    const thread = this.#start();
    this.#threads.add(thread);
    return thread;
  }
}
