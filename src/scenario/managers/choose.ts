import type { ScenarioHost } from '../model/host.ts';
import { apt } from './apt.ts';
import { dnf } from './dnf.ts';
import type { PackageManager } from './manager.ts';
import { zypper } from './zypper.ts';

/** The package manager of a host. */
export function packageManager({ manager, program }: ScenarioHost): PackageManager {
  switch (manager) {
    case 'apt':
      return apt;
    case 'dnf':
      return dnf(program);
    case 'zypper':
      return zypper;
  }
}
