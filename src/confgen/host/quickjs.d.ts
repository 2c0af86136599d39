/** The one module that the static runner has (runners/host.c); failures are numbers, as system-calls.ts says. */
declare module 'host' {
  export function lstat(path: string): number;
  export function readlink(path: string): string | number;
  export function readdir(path: string): string[] | number;
  export function read(path: string, limit: number): string | number;
  export function create(path: string, text: string, mode: number): number;
  export function rename(from: string, to: string): number;
  export function unlink(path: string): number;
  export function mkdir(path: string): number;
  export function syncDirectory(path: string): number;
  export function nodeName(): string;
  export function pid(): number;
  /** Writes to a file descriptor: 1 or 2. */
  export function put(file: number, text: string): number;
  /** What stands on the command line after the program's name. */
  export function words(): string[];
  /** The JSON that was embedded beside the bundle. */
  export function data(): string;
  /** The exit status when the bundle has ended without a fault; without it, 1. */
  export function endWith(status: number): void;
}
