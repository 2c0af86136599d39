import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { type Architecture, nodeArchitecture } from '../../src/model/architecture.ts';
import { KubeparcelError } from '../../src/support/errors.ts';

/** Everything that is asked for; what Debian answers (exact package versions and digests) joins it in the cache's key. */
export const RECIPE = {
  /** Counted up when the steps change in a way that the rest of the recipe does not show. */
  version: 1,
  suite: 'bookworm',
  kubernetes: {
    version: '1.20.2',
    source: 'kubernetes',
    /** How Debian writes this upstream version, before the Debian revision. */
    upstreamVersion: '1.20.5+really1.20.2',
    /** The commit of the tag v1.20.2, as upstream's own binaries state it. */
    commit: 'faecb196815e248d3ecfb03c680a4507229c2a56',
    date: '2021-01-13',
    commands: ['kubeadm', 'kubelet', 'kubectl'],
    tags: 'selinux,notest',
    linkerFlags: '-s -w -buildid=',
  },
  go: { packages: ['golang-1.19-go', 'golang-1.19-src'], root: 'usr/lib/go-1.19' },
  reflect2: {
    package: 'golang-github-modern-go-reflect2-dev',
    directory: 'usr/share/gocode/src/github.com/modern-go/reflect2',
  },
  cniPlugins: { package: 'containernetworking-plugins', directory: 'usr/lib/cni' },
  criTools: {
    version: '1.36.0',
    module: 'sigs.k8s.io/cri-tools',
    /** The `go` line of its go.mod. */
    go: '1.26.2',
    linkerFlags: '-s -w -buildid=',
  },
} as const;

/**
 * What else a cluster's control plane runs on, for tests of kubeadm; not packaged. Apart from RECIPE, so that neither is
 * made again when the other changes.
 */
export const CONTROL_PLANE = {
  version: 1,
  commands: ['kube-apiserver', 'kube-controller-manager'],
  etcd: { package: 'etcd-server', program: 'usr/bin/etcd' },
} as const;

/** The architecture of this machine, which the payload is made for: cross-compiled binaries could not be asked. */
export function hostArchitecture(): Architecture {
  const architecture = nodeArchitecture(process.arch, endianness());
  if (process.platform !== 'linux' || architecture === undefined) {
    throw new KubeparcelError(
      'usage',
      'The real payload can be made on Linux on amd64, arm64, ppc64le and s390x only',
      {
        where: `${process.platform} ${process.arch}`,
        hint: 'Run it in a Linux container or machine of one of these architectures.',
      },
    );
  }
  return architecture;
}

/** 16 hex digits of the SHA-256 over a value's JSON. */
export function shortDigest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
