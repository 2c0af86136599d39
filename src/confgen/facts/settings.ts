import type { GeneratorSettings } from '../model/facts.ts';
import { sanitize } from '../text/arguments.ts';
import { readEnvFile } from '../text/env-file.ts';
import type { HostReader } from './host-reader.ts';

const SETTINGS_FILE = '/etc/kubelet-confgen.conf';
const SWITCH = 'KUBELET_CONFGEN';

/**
 * Reads the generator's own settings: /etc/kubelet-confgen.conf, in the syntax of environment files, and the kubelet's
 * env file. An unreadable settings file counts as `off`, because it may contain that.
 */
export function readSettings(reader: HostReader, envFile: string): GeneratorSettings {
  const files = [SETTINGS_FILE, envFile].map((path) => ({ path, values: readEnvFile(reader.text(path) ?? '') }));
  const switches = files.map(({ path, values }) => ({ path, value: values.get(SWITCH) ?? '' }));
  for (const { path, value } of switches) {
    if (value === '' || isOff(value) || /^(on|yes|true|1)$/i.test(value)) continue;
    reader.report({
      code: 'unknown-setting',
      level: 'warning',
      what: `${SWITCH} in ${path} is neither on nor off; it is treated as on`,
      evidence: [`${path}: ${SWITCH}=${sanitize(value)}`],
      hint: `set ${SWITCH}=off, or remove the line`,
    });
  }
  const [own, env] = files;
  const setting = (key: string) => {
    const value = own?.values.get(`${SWITCH}_${key}`) ?? env?.values.get(`${SWITCH}_${key}`);
    return value?.trim() || undefined;
  };
  return {
    off: reader.isUnreadable(SETTINGS_FILE) || switches.some(({ value }) => isOff(value)),
    hostnameOverride: setting('HOSTNAME_OVERRIDE'),
    criEndpoint: setting('CRI_ENDPOINT'),
  };
}

function isOff(value: string): boolean {
  return /^(off|no|false|0)$/i.test(value);
}
