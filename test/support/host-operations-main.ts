/** Runs host-operations.ts in the static runner. Argument: the root. */
import { endWith, put, words } from 'host';
import { quickJsHost } from '../../src/confgen/host/quickjs-host.ts';
import { hostOperations } from './host-operations.ts';

endWith(put(1, hostOperations(quickJsHost(words()[0] ?? ''))));
