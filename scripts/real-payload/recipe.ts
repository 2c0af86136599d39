import { createHash } from 'node:crypto';
import { endianness } from 'node:os';
import { type Architecture, nodeArchitecture } from '../../src/model/architecture.ts';
import { KubeparcelError } from '../../src/support/errors.ts';

/** The inputs of the payload. The cache key also includes the exact versions and digests of Debian packages. */
export const RECIPE = {
  /** Increase it when the steps change but the rest of the recipe does not. */
  version: 1,
  suite: 'bookworm',
  kubernetes: {
    version: '1.20.2',
    source: 'kubernetes',
    /** Debian's spelling of this upstream version, without the Debian revision. */
    upstreamVersion: '1.20.5+really1.20.2',
    /** The commit of the tag v1.20.2, which upstream's binaries state. */
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
 * The other programs of a control plane, for tests of kubeadm; not packaged. Separate from RECIPE, so that a change of one
 * does not rebuild the other.
 */
export const CONTROL_PLANE = {
  version: 1,
  commands: ['kube-apiserver', 'kube-controller-manager'],
  etcd: { package: 'etcd-server', program: 'usr/bin/etcd' },
} as const;

/** The architecture of this machine, and of the payload: cross-compiled binaries could not be checked. */
export function hostArchitecture(): Architecture {
  const architecture = nodeArchitecture(process.arch, endianness());
  if (process.platform !== 'linux' || architecture === undefined) {
    throw new KubeparcelError(
      'usage',
      'the real payload can be built only on Linux on amd64, arm64, ppc64le and s390x',
      {
        where: `${process.platform} ${process.arch}`,
        hint: 'run it on a machine or in a container of one of these architectures',
      },
    );
  }
  return architecture;
}

/** 16 hex digits of the SHA-256 over a value's JSON. */
export function shortDigest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
