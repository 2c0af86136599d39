/** The components of a release. Each is one artifact (a binary or an archive) per architecture. */
export const COMPONENTS = ['kubeadm', 'kubelet', 'kubectl', 'cni-plugins', 'crictl'] as const;

export type Component = (typeof COMPONENTS)[number];

/** Versions of the components that have their own releases, without `v`. */
export interface Pins {
  readonly cniPlugins: string;
  readonly criTools: string;
}

/** The version of a component in a release of Kubernetes. */
export function versionOf(component: Component, kubernetes: string, pins: Pins): string {
  switch (component) {
    case 'cni-plugins':
      return pins.cniPlugins;
    case 'crictl':
      return pins.criTools;
    default:
      return kubernetes;
  }
}
