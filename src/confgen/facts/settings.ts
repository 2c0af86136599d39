import type { GeneratorSettings } from '../model/facts.ts';
import { shown } from '../text/arguments.ts';
import { readEnvFile } from '../text/env-file.ts';
import type { Reading } from './reading.ts';

const SETTINGS_FILE = '/etc/kubelet-confgen.conf';
const SWITCH = 'KUBELET_CONFGEN';

/**
 * The generator's own settings: /etc/kubelet-confgen.conf, in the syntax of environment files, and the switch in the
 * kubelet's env file.
 *
 * A settings file that is there and cannot be read counts as `off`: it may say so.
 */
export function readSettings(reading: Reading, envFile: string): GeneratorSettings {
  const own = readEnvFile(reading.text(SETTINGS_FILE) ?? '');
  const env = readEnvFile(reading.text(envFile) ?? '');
  const switches = [
    { path: SETTINGS_FILE, value: own.get(SWITCH) },
    { path: envFile, value: env.get(SWITCH) },
  ];
  for (const { path, value } of switches) {
    if (value === undefined || value === '' || isOff(value) || /^(on|yes|true|1)$/i.test(value)) continue;
    reading.note({
      code: 'unknown-setting',
      level: 'warning',
      what: `${SWITCH} is neither on nor off.`,
      evidence: [`${path}: ${SWITCH}=${shown(value)}`],
      hint: `Set ${SWITCH}=off or remove the line; it counts as on.`,
    });
  }
  return {
    off: reading.unreadable(SETTINGS_FILE) || switches.some(({ value }) => value !== undefined && isOff(value)),
    hostnameOverride: nonEmpty(own.get(`${SWITCH}_HOSTNAME_OVERRIDE`) ?? env.get(`${SWITCH}_HOSTNAME_OVERRIDE`)),
    criEndpoint: nonEmpty(own.get(`${SWITCH}_CRI_ENDPOINT`) ?? env.get(`${SWITCH}_CRI_ENDPOINT`)),
  };
}

function isOff(value: string): boolean {
  return /^(off|no|false|0)$/i.test(value);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}
