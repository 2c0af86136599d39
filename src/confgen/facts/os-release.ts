import type { OsFacts } from '../model/facts.ts';
import { readEnvFile } from '../text/env-file.ts';
import type { Reading } from './reading.ts';

/** /etc/os-release, else /usr/lib/os-release: os-release(5), whose syntax is that of environment files. */
export function readOsRelease(reading: Reading): OsFacts {
  const text = reading.text('/etc/os-release') ?? reading.text('/usr/lib/os-release') ?? '';
  const values = readEnvFile(text);
  const words = [values.get('ID') ?? '', ...(values.get('ID_LIKE') ?? '').split(/[ \t]+/)];
  const ids = words.map((word) => word.trim().toLowerCase()).filter((word) => /^[a-z0-9._-]{1,64}$/.test(word));
  return {
    ids: [...new Set(ids)].slice(0, 16),
    versionId: bounded(values.get('VERSION_ID')),
    prettyName: bounded(values.get('PRETTY_NAME')),
  };
}

function bounded(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value.slice(0, 200);
}
