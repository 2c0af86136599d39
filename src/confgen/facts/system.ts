import type { CgroupFacts, KernelFacts, OsFacts } from '../model/facts.ts';
import { readEnvFile } from '../text/env-file.ts';
import type { HostReader } from './host-reader.ts';

/** /etc/os-release, else /usr/lib/os-release (os-release(5)). The syntax is that of environment files. */
export function readOsRelease(reader: HostReader): OsFacts {
  const values = readEnvFile(reader.text('/etc/os-release') ?? reader.text('/usr/lib/os-release') ?? '');
  const words = [values.get('ID') ?? '', ...(values.get('ID_LIKE') ?? '').split(/[ \t]+/)];
  const ids = words.map((word) => word.trim().toLowerCase()).filter((word) => /^[a-z0-9._-]{1,64}$/.test(word));
  const value = (key: string) => values.get(key)?.slice(0, 200) || undefined;
  return { ids: [...new Set(ids)].slice(0, 16), versionId: value('VERSION_ID'), prettyName: value('PRETTY_NAME') };
}

/** cgroups(7): cgroup v2 has cgroup.controllers at its root. In a hybrid hierarchy, systemd mounts it at `unified`. */
export function readCgroup(reader: HostReader): CgroupFacts {
  const systemd = reader.kind('/run/systemd/system') === 'directory';
  if (reader.kind('/sys/fs/cgroup/cgroup.controllers') === 'file') return { mode: 'v2', systemd };
  if (reader.kind('/sys/fs/cgroup/unified/cgroup.controllers') === 'file') return { mode: 'hybrid', systemd };
  const controllers = ['memory', 'cpu', 'cpu,cpuacct', 'cpuset', 'systemd'];
  const v1 = controllers.some((name) => reader.kind(`/sys/fs/cgroup/${name}`) === 'directory');
  return { mode: v1 ? 'v1' : 'unknown', systemd };
}

/** Kernel modules, IPv4 forwarding and SELinux from /proc and /sys; in an image, SELinux from its configuration. */
export function readKernel(reader: HostReader): KernelFacts {
  const forward = (reader.text('/proc/sys/net/ipv4/ip_forward') ?? '').trim();
  return {
    brNetfilter: hasModule(reader, 'br_netfilter') || reader.kind('/proc/sys/net/bridge') === 'directory',
    overlay: hasModule(reader, 'overlay') || /^nodev[ \t]+overlay$/m.test(reader.text('/proc/filesystems') ?? ''),
    ipForward: /^\d$/.test(forward) ? forward !== '0' : undefined,
    selinux: readSelinux(reader),
  };
}

function hasModule(reader: HostReader, name: string): boolean {
  if (reader.kind(`/sys/module/${name}`) === 'directory') return true;
  return (reader.text('/proc/modules') ?? '').split('\n').some((line) => line.split(' ')[0] === name);
}

function readSelinux(reader: HostReader): KernelFacts['selinux'] {
  const enforce = (reader.text('/sys/fs/selinux/enforce') ?? '').trim();
  if (enforce === '1') return 'enforcing';
  if (enforce === '0') return 'permissive';
  // On a running kernel without selinuxfs, SELinux is off even if it is configured.
  if (reader.kind('/sys/fs') === 'directory') return 'disabled';
  const mode = (readEnvFile(reader.text('/etc/selinux/config') ?? '').get('SELINUX') ?? '').toLowerCase();
  return mode === 'enforcing' || mode === 'permissive' ? mode : 'disabled';
}

/** Paths in /proc/swaps (proc(5)): a header, then one line per swap area. Blanks in a path are octal escapes. */
export function readSwap(reader: HostReader): readonly string[] {
  const lines = (reader.text('/proc/swaps') ?? '').split('\n').slice(1, 65);
  return lines
    .map((line) => line.split(/[ \t]+/)[0] ?? '')
    .filter((path) => path !== '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}

/** Whether the lower-case host name is an RFC 1123 subdomain of at most 253 characters. */
export function isNodeName(hostName: string): boolean {
  const name = hostName.toLowerCase();
  if (name.length === 0 || name.length > 253) return false;
  return name.split('.').every((label) => /^[a-z0-9]$|^[a-z0-9][a-z0-9-]*[a-z0-9]$/.test(label));
}
