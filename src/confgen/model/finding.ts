/** What the generator has to say about a host; `explain` prints all of it. */
export interface Finding {
  /**
   * Stable name of the rule in kebab-case: resolv-conf-missing-here, two-runtimes, edited-file.
   */
  readonly code: string;
  /** info: nothing to do; warning: works, but somebody should look; error: the kubelet will not work like this. */
  readonly level: 'info' | 'warning' | 'error';
  /** One sentence: what is so. */
  readonly what: string;
  /** Where that was seen: `/etc/containerd/config.toml: SystemdCgroup = true`. */
  readonly evidence: readonly string[];
  /** One sentence: what the reader can do; undefined when there is nothing to do. */
  readonly hint: string | undefined;
}

/** A file that is to be, or not to be, on the host; each is the generator's own. */
export type FileChange =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly mode: number;
      readonly text: string;
      readonly reason: string;
    }
  | { readonly kind: 'remove'; readonly path: string; readonly reason: string };

/** Pure outcome: nothing is written until `apply`. */
export interface Plan {
  /** In the order in which they were found; errors are not sorted to the front, renderers do that. */
  readonly findings: readonly Finding[];
  /** Empty when the host is as it should be. */
  readonly changes: readonly FileChange[];
}
