/** The only module of the static runner (runners/host.c). Errors are numbers; see system-calls.ts. */
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
  /** Command-line arguments without the name of the program. */
  export function words(): string[];
  /** The JSON data embedded with the bundle. */
  export function data(): string;
  /** Sets the exit status for the end of the bundle; the default is 1. */
  export function endWith(status: number): void;
}
