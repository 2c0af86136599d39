/** Entry point of the bundle for the static runner. */
import { data, endWith, put, words } from 'host';
import { quickJsHost } from '../host/quickjs-host.ts';
import { errorMessage } from '../host/system-calls.ts';
import type { GeneratorData } from '../model/data.ts';
import { main, rootFlag } from './main.ts';

const STDOUT = 1;
const STDERR = 2;

let writeError = 0;

function write(file: number, text: string): void {
  // After the first error nothing more is written, so that a full disk does not get fragments of the output.
  if (writeError === 0) writeError = put(file, text);
}

const argv = words();
const output = {
  out: (text: string) => write(STDOUT, text),
  err: (text: string) => write(STDERR, text),
};
const status = main(argv, quickJsHost(rootFlag(argv)), output, JSON.parse(data()) as GeneratorData);
if (writeError < 0) {
  put(STDERR, `kubelet-confgen: cannot write the output: ${errorMessage(writeError)}\n`);
  // A hook with --quiet does not fail because of a full log.
  endWith(status === 0 && argv.includes('--quiet') ? 0 : 1);
} else {
  endWith(status);
}
