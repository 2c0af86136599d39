import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import type { Facts, FlagsFile, KubeletConfigFacts, RuntimeFacts } from '../../../src/confgen/model/facts.ts';

export const DATA = generatorData(await loadCatalog(), undefined);

export const CONTAINERD: RuntimeFacts = {
  name: 'containerd',
  endpoint: 'unix:///run/containerd/containerd.sock',
  socket: true,
  cgroupDriver: 'systemd',
  cgroupDriverSource: '/etc/containerd/config.toml: SystemdCgroup = true',
  criDisabled: false,
  reportsCgroupDriver: false,
};
export const CRIO: RuntimeFacts = {
  ...CONTAINERD,
  name: 'crio',
  endpoint: 'unix:///var/run/crio/crio.sock',
  cgroupDriverSource: 'default',
};
export const DOCKER: RuntimeFacts = {
  ...CONTAINERD,
  name: 'docker',
  endpoint: 'unix:///var/run/docker.sock',
  cgroupDriverSource: '/etc/docker/daemon.json: exec-opts',
};
export const CRI_DOCKERD: RuntimeFacts = { ...DOCKER, name: 'cri-dockerd', endpoint: 'unix:///run/cri-dockerd.sock' };

/** A healthy node: cgroup v2 with systemd, a reachable name server, containerd, and no configuration. */
export function hostFacts(version: string | undefined, changes: Changes = {}): Facts {
  return {
    os: { ids: ['debian'], versionId: '12', prettyName: 'Debian GNU/Linux 12 (bookworm)' },
    resolver: {
      resolved: false,
      kind: 'file',
      target: undefined,
      nameservers: ['192.0.2.1'],
      loopback: false,
      missing: [],
      ...changes.resolver,
    },
    cgroup: { mode: 'v2', systemd: true, ...changes.cgroup },
    runtimes: changes.runtimes ?? [CONTAINERD],
    node: { hostName: 'node-a', validNodeName: true, swap: [], ...changes.node },
    kernel: { brNetfilter: true, overlay: true, ipForward: true, selinux: 'disabled', ...changes.kernel },
    kubelet: {
      version,
      extraArgs: flags('/etc/default/kubelet', changes.extraArgs),
      kubeadmArgs: flags('/var/lib/kubelet/kubeadm-flags.env', changes.kubeadmArgs),
      config: configOf('/var/lib/kubelet/config.yaml', changes.config),
      instanceConfig: configOf('/var/lib/kubelet/instance-config.yaml', changes.instanceConfig),
      kubeconfig: false,
      bootstrapKubeconfig: false,
    },
    settings: { off: false, hostnameOverride: undefined, criEndpoint: undefined, ...changes.settings },
    findings: changes.findings ?? [],
  };
}

export interface Changes {
  readonly resolver?: Partial<Facts['resolver']>;
  readonly cgroup?: Partial<Facts['cgroup']>;
  readonly runtimes?: Facts['runtimes'];
  readonly node?: Partial<Facts['node']>;
  readonly kernel?: Partial<Facts['kernel']>;
  readonly settings?: Partial<Facts['settings']>;
  /** `--name=value` */
  readonly extraArgs?: readonly string[];
  readonly kubeadmArgs?: readonly string[];
  readonly config?: Partial<KubeletConfigFacts>;
  readonly instanceConfig?: Partial<KubeletConfigFacts>;
  readonly findings?: Facts['findings'];
}

function configOf(path: string, keys: Partial<KubeletConfigFacts> | undefined): KubeletConfigFacts | undefined {
  return keys === undefined
    ? undefined
    : {
        path,
        resolvConf: undefined,
        cgroupDriver: undefined,
        containerRuntimeEndpoint: undefined,
        failSwapOn: undefined,
        failCgroupV1: undefined,
        unclear: false,
        ...keys,
      };
}

function flags(path: string, words: readonly string[] | undefined): FlagsFile {
  return {
    path,
    present: words !== undefined,
    flags: (words ?? []).map((word) => {
      const [, name = '', value] = /^--([^=]+)(?:=(.*))?$/.exec(word) ?? [];
      return { name, value };
    }),
  };
}
