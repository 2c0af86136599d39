import { Worker } from 'node:worker_threads';
import { KubeparcelError } from '../../support/errors.ts';
import { createPlaces } from './places.ts';

export interface Thread<Call, Answer> {
  /** When it runs, and has what it was to have ahead; never where it breaks before. */
  readonly ready: Promise<void>;
  /** One call at a time. */
  run(call: Call): Promise<Answer>;
  close(): Promise<void>;
}

/** What a thread's source posts: that it is ready; what it was asked for, or why there is none. */
type Posted<Answer> = 'ready' | { readonly answer: Answer } | { readonly failure: object };

/**
 * A worker that answers calls. It keeps the process alive only while a call is under way, and must be closed.
 *
 * @param start JavaScript, since Node 20 cannot start a worker from a TypeScript file: an expression that is a function,
 *   which gets `data` and returns, or resolves to, a function from calls to answers. It is called at the first call
 * @param options.ahead it is called as soon as the thread runs
 * @param options.handOver buffers of a call that are handed over rather than copied
 * @param options.handBack the same of an answer; JavaScript
 */
export function startThread<Call, Answer>(
  start: string,
  data: unknown,
  options: {
    readonly ahead?: boolean;
    readonly handOver?: (call: Call) => ArrayBuffer[];
    readonly handBack?: string;
  } = {},
): Thread<Call, Answer> {
  const source = `
const { parentPort, workerData } = require('node:worker_threads');
const start = async () => (${start})(workerData);
let started${options.ahead === true ? ' = start()' : ''};
Promise.resolve(started).then(() => parentPort.postMessage('ready'), () => {});
parentPort.on('message', async (call) => {
  try {
    started ??= start();
    const answer = (await started)(call);
    parentPort.postMessage({ answer }, (${options.handBack ?? '() => []'})(answer));
  } catch (error) {
    const { message, code, errno, syscall, path } = error;
    parentPort.postMessage({ failure: { message, code, errno, syscall, path } });
  }
});
`;
  const worker = startWorker(source, data);
  let settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  let broken: Error | undefined;
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const fail = (error: Error) => {
    broken ??= error;
    settle?.reject(error);
  };
  worker.unref();
  worker.on('message', (posted: Posted<Answer>) => {
    if (posted === 'ready') isReady();
    else if ('answer' in posted) settle?.resolve(posted.answer);
    else settle?.reject(Object.assign(new Error(), definedOnly(posted.failure)));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread has ended')));
  return {
    ready,
    run: async (call) => {
      if (broken !== undefined) {
        throw broken;
      }
      worker.ref();
      try {
        return await new Promise<Answer>((resolve, reject) => {
          settle = { resolve, reject };
          worker.postMessage(call, options.handOver?.(call) ?? []);
        });
      } finally {
        settle = undefined;
        worker.unref();
      }
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

function startWorker(source: string, data: unknown): Worker {
  try {
    return new Worker(source, { eval: true, execArgv: [], workerData: data });
  } catch (cause) {
    throw new KubeparcelError('io', 'no more threads can be started', {
      hint: 'allow more processes (ulimit -u, the limit of a container), or ask for fewer with --jobs',
      cause,
    });
  }
}

function definedOnly(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

export interface ThreadPool<T> {
  /** Threads, at most. */
  readonly size: number;
  /** Does the work with a thread as soon as one is free; who has the higher rank goes first. */
  with<R>(work: (thread: T) => Promise<R>, rank?: number): Promise<R>;
  /** Begins them all now: one after another, so that the others have the rest of the processors. */
  fill(): Promise<void>;
  close(): Promise<void>;
}

/** Threads that are begun when they are first needed. */
export function createThreadPool<T extends Pick<Thread<unknown, unknown>, 'ready' | 'close'>>(
  size: number,
  start: () => T,
): ThreadPool<T> {
  const idle: T[] = [];
  const all = new Set<T>();
  const places = createPlaces(size);
  const begin = () => {
    const thread = start();
    all.add(thread);
    return thread;
  };
  let closed = false;
  return {
    size,
    async with(work, rank = 0) {
      const leave = await places.take(rank);
      try {
        if (closed) throw new Error('the threads are closed');
        const thread = idle.pop() ?? begin();
        try {
          const result = await work(thread);
          idle.push(thread);
          return result;
        } catch (error) {
          // It may be the thread that is broken: out of memory, for one.
          all.delete(thread);
          await thread.close();
          throw error;
        }
      } finally {
        leave();
      }
    },
    async fill() {
      while (all.size < size && !closed) {
        const thread = begin();
        idle.push(thread);
        await thread.ready;
      }
    },
    async close() {
      closed = true;
      await Promise.all([...all].map((thread) => thread.close()));
    },
  };
}
