import type { KernelFacts } from '../model/facts.ts';
import { readEnvFile } from '../text/env-file.ts';
import type { Reading } from './reading.ts';

/** Modules, forwarding and SELinux, from /proc and /sys; of an image's root, what its configuration says. */
export function readKernel(reading: Reading): KernelFacts {
  const forward = (reading.text('/proc/sys/net/ipv4/ip_forward') ?? '').trim();
  return {
    brNetfilter: hasModule(reading, 'br_netfilter') || reading.kind('/proc/sys/net/bridge') === 'directory',
    overlay: hasModule(reading, 'overlay') || /^nodev[ \t]+overlay$/m.test(reading.text('/proc/filesystems') ?? ''),
    ipForward: /^\d$/.test(forward) ? forward !== '0' : undefined,
    selinux: readSelinux(reading),
  };
}

function hasModule(reading: Reading, name: string): boolean {
  if (reading.kind(`/sys/module/${name}`) === 'directory') return true;
  return (reading.text('/proc/modules') ?? '').split('\n').some((line) => line.split(' ')[0] === name);
}

function readSelinux(reading: Reading): KernelFacts['selinux'] {
  const enforce = (reading.text('/sys/fs/selinux/enforce') ?? '').trim();
  if (enforce === '1') return 'enforcing';
  if (enforce === '0') return 'permissive';
  // A kernel that runs has the last word: what is configured but not on is off.
  if (reading.kind('/sys/fs') === 'directory') return 'disabled';
  const mode = (readEnvFile(reading.text('/etc/selinux/config') ?? '').get('SELINUX') ?? '').toLowerCase();
  return mode === 'enforcing' || mode === 'permissive' ? mode : 'disabled';
}
