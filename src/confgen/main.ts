import type { GeneratorData } from './data.ts';
import type { Host } from './host.ts';

/** Where output goes; text comes with its newlines. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/**
 * `kubelet-confgen`, the same under Node and under the static runner.
 *
 * @param argv words after the program's name
 * @returns the exit status
 */
export declare function main(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number;
