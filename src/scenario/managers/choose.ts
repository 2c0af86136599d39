import type { Manager } from '../scenario.ts';
import { apt } from './apt.ts';
import { dnf } from './dnf.ts';
import type { PackageManager } from './manager.ts';
import { zypper } from './zypper.ts';

const MANAGERS: Readonly<Record<Manager, PackageManager>> = {
  apt,
  dnf: dnf('dnf'),
  yum: dnf('yum'),
  zypper,
};

export function packageManager(name: Manager): PackageManager {
  return MANAGERS[name];
}
