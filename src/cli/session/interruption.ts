/** Ended by Ctrl-C, SIGTERM or SIGHUP: 128 + SIGINT, as shells have it. */
export const INTERRUPTED = 130;

const controller = new AbortController();
let listening = false;

/**
 * From the first call on, Ctrl-C and its kin abort this signal instead of ending the process, so that what is
 * half-written can be removed. Commands that write nothing never call it, and end at once.
 */
export function interruptible(): AbortSignal {
  if (!listening) {
    listening = true;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // The second one ends at once; temporary files have names of their own and are swept by the next run.
        if (controller.signal.aborted) {
          // The bars hide the cursor.
          if (process.stderr.isTTY) process.stderr.write('\u001b[?25h');
          process.exit(INTERRUPTED);
        }
        controller.abort();
      });
    }
  }
  return controller.signal;
}

/** Stops the running command as Ctrl-C does; false when no command that could be stopped is running. */
export function interrupt(): boolean {
  if (listening) controller.abort();
  return listening;
}

export function wasInterrupted(): boolean {
  return controller.signal.aborted;
}
