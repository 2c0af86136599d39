import type { Host } from '../host/host.ts';
import type { GeneratorData } from '../model/data.ts';
import type { Facts, KubeletFacts, RuntimeFacts } from '../model/facts.ts';
import { readContainerd } from './containerd.ts';
import { readCrio } from './crio.ts';
import { readCriDockerd, readDocker } from './docker.ts';
import { HostReader } from './host-reader.ts';
import { readKubelet } from './kubelet.ts';
import { readResolver } from './resolver.ts';
import { readSettings } from './settings.ts';
import { isNodeName, readCgroup, readKernel, readOsRelease, readSwap } from './system.ts';

/**
 * Reads the facts of a host. Never throws and writes nothing. Anything unreadable or invalid becomes a finding, and its
 * facts are undefined or those of an absent file.
 */
export function readFacts(host: Host, data: GeneratorData): Facts {
  const reader = new HostReader(host);
  const cgroup = readCgroup(reader);
  const kubelet = readKubelet(reader, data);
  const runtimes = [
    readContainerd(reader),
    readCrio(reader),
    readCriDockerd(reader, cgroup),
    readDocker(reader, cgroup),
  ].filter((runtime): runtime is RuntimeFacts => runtime !== undefined);
  const hostName = reader.hostName();
  return {
    os: readOsRelease(reader),
    resolver: readResolver(reader, resolvConfPaths(kubelet)),
    cgroup,
    runtimes,
    node: { hostName, validNodeName: isNodeName(hostName), swap: readSwap(reader) },
    kernel: readKernel(reader),
    kubelet,
    settings: readSettings(reader, kubelet.extraArgs.path),
    findings: reader.findings,
  };
}

/** The resolv.conf files in flags and kubelet configurations. */
function resolvConfPaths({ extraArgs, kubeadmArgs, config, instanceConfig }: KubeletFacts): readonly string[] {
  const flags = [...extraArgs.flags, ...kubeadmArgs.flags].filter(({ name }) => name === 'resolv-conf');
  const paths = [...flags.map(({ value }) => value), config?.resolvConf, instanceConfig?.resolvConf];
  return paths.filter((path): path is string => path !== undefined && path !== '');
}
