/** Where the bundle for the static runner begins. */
import { data, endWith, put, words } from 'host';
import { quickJsHost } from '../host/quickjs-host.ts';
import { wordsOf } from '../host/system-calls.ts';
import type { GeneratorData } from '../model/data.ts';
import { main } from './main.ts';
import { rootOf } from './root-flag.ts';

const STDOUT = 1;
const STDERR = 2;

let failure = 0;

function write(file: number, text: string): void {
  // One failure says it all; what follows on a full disk would come out in pieces.
  if (failure === 0) failure = put(file, text);
}

const argv = words();
const output = {
  out: (text: string) => write(STDOUT, text),
  err: (text: string) => write(STDERR, text),
};
const status = main(argv, quickJsHost(rootOf(argv)), output, JSON.parse(data()) as GeneratorData);
if (failure < 0) {
  put(STDERR, `kubelet-confgen: the output cannot be written: ${wordsOf(failure)}\n`);
  // A hook's own --quiet outranks a log that is full.
  endWith(status === 0 && argv.includes('--quiet') ? 0 : 1);
} else {
  endWith(status);
}
