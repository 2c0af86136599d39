import type { Host } from '../host/host.ts';
import type { GeneratorData } from '../model/data.ts';
import type { Facts, KubeletFacts, RuntimeFacts } from '../model/facts.ts';
import { readCgroup } from './cgroup.ts';
import { readContainerd } from './containerd.ts';
import { readCriDockerd } from './cri-dockerd.ts';
import { readCrio } from './crio.ts';
import { readDocker } from './docker.ts';
import { readKernel } from './kernel.ts';
import { readKubelet } from './kubelet.ts';
import { isNodeName, readHostName } from './node-name.ts';
import { readOsRelease } from './os-release.ts';
import { openReading } from './reading.ts';
import { readResolver } from './resolv-conf.ts';
import { readSettings } from './settings.ts';
import { readSwap } from './swap.ts';

/**
 * Looks at a host. Never throws and writes nothing: what could not be read or understood is among the findings, and
 * its facts are as if it were not there, or undefined.
 */
export function readFacts(host: Host, data: GeneratorData): Facts {
  const reading = openReading(host);
  const cgroup = readCgroup(reading);
  const kubelet = readKubelet(reading, data);
  const runtimes = [
    readContainerd(reading),
    readCrio(reading),
    readCriDockerd(reading, cgroup),
    readDocker(reading, cgroup),
  ].filter((runtime): runtime is RuntimeFacts => runtime !== undefined);
  const hostName = readHostName(reading);
  return {
    os: readOsRelease(reading),
    resolver: readResolver(reading, resolvConfs(kubelet)),
    cgroup,
    runtimes,
    node: { hostName, validNodeName: isNodeName(hostName), swap: readSwap(reading) },
    kernel: readKernel(reading),
    kubelet,
    settings: readSettings(reading, kubelet.extraArgs.path),
    findings: reading.findings,
  };
}

/** Files that somebody named as resolv.conf. */
function resolvConfs({ extraArgs, kubeadmArgs, config, instanceConfig }: KubeletFacts): readonly string[] {
  const flags = [...extraArgs.flags, ...kubeadmArgs.flags].filter(({ name }) => name === 'resolv-conf');
  const named = [...flags.map(({ value }) => value), config?.resolvConf, instanceConfig?.resolvConf];
  return named.filter((path): path is string => path !== undefined && path !== '');
}
