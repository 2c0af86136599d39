/** Exit status after Ctrl-C, SIGTERM or SIGHUP: 128 + SIGINT, as in shells. */
export const INTERRUPTED = 130;

const controller = new AbortController();
let listening = false;

/**
 * Makes SIGINT, SIGTERM and SIGHUP abort the returned signal instead of ending the process, so that commands can remove
 * incomplete files. Commands that write nothing do not call this.
 */
export function interruptible(): AbortSignal {
  if (!listening) {
    listening = true;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // The second signal ends the process at once; the next run removes the temporary files.
        if (controller.signal.aborted) {
          // Progress bars hide the cursor.
          if (process.stderr.isTTY) process.stderr.write('\u001b[?25h');
          process.exit(INTERRUPTED);
        }
        controller.abort();
      });
    }
  }
  return controller.signal;
}

/** Stops the running command as Ctrl-C does. Returns false if the command is not interruptible. */
export function interrupt(): boolean {
  if (listening) controller.abort();
  return listening;
}

export function wasInterrupted(): boolean {
  return controller.signal.aborted;
}
