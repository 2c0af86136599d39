/** A result of the checks on a host. `explain` prints all of them. */
export interface Finding {
  /** Stable name of the rule in kebab-case, such as resolv-conf-missing-here, several-runtimes or edited-file. */
  readonly code: string;
  /** info: no action needed; warning: works, but should be checked; error: the kubelet will not work. */
  readonly level: 'info' | 'warning' | 'error';
  /** One clause: the problem or the decision. */
  readonly what: string;
  /** Where it was found: `/etc/containerd/config.toml: SystemdCgroup = true`. */
  readonly evidence: readonly string[];
  /** What the administrator can do; undefined when no action is needed. */
  readonly hint: string | undefined;
}

/** A managed file to write or to remove. */
export type FileChange =
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly mode: number;
      readonly text: string;
      readonly reason: string;
    }
  | { readonly kind: 'remove'; readonly path: string; readonly reason: string };

/** Nothing is written before `applyPlan`. */
export interface Plan {
  /** In the order of the checks; reports sort them by level. */
  readonly findings: readonly Finding[];
  readonly changes: readonly FileChange[];
}
