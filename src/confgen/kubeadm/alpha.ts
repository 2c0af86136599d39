import type { Plain } from '../text/yaml-write.ts';
import type { ConfigRequest } from './cluster-request.ts';
import { clusterKubeletFields } from './kubelet-configuration.ts';
import { kubernetesVersion, networking, nodeRegistration, nonEmpty } from './parts.ts';

/** MasterConfiguration and NodeConfiguration of kubeadm 1.8 to 1.11. */
export function v1alpha1Documents(request: ConfigRequest): readonly Plain[] {
  const { node, cluster, token } = request;
  const common = { apiVersion: 'kubeadm.k8s.io/v1alpha1' };
  const host = { criSocket: node.criSocket, nodeName: node.nodeName };
  if (cluster.kind === 'join') {
    return [{ ...common, kind: 'NodeConfiguration', ...host, ...tokenDiscovery(cluster) }];
  }
  return [{ ...common, kind: 'MasterConfiguration', ...host, ...masterFields(request), token }];
}

/** The same two kinds of kubeadm 1.11 and 1.12, with nodeRegistration. */
export function v1alpha2Documents(request: ConfigRequest): readonly Plain[] {
  const { cluster, token } = request;
  const common = { apiVersion: 'kubeadm.k8s.io/v1alpha2' };
  const registration = { nodeRegistration: nodeRegistration(request) };
  if (cluster.kind === 'join') {
    return [{ ...common, kind: 'NodeConfiguration', ...tokenDiscovery(cluster), ...registration }];
  }
  const bootstrapTokens = token === undefined ? undefined : [{ token }];
  return [{ ...common, kind: 'MasterConfiguration', bootstrapTokens, ...masterFields(request), ...registration }];
}

function masterFields(request: ConfigRequest): { readonly [key: string]: Plain | undefined } {
  const { node, cluster } = request;
  if (cluster.kind === 'join') return {};
  return {
    api: nonEmpty({
      advertiseAddress: cluster.advertiseAddress,
      controlPlaneEndpoint: cluster.controlPlaneEndpoint,
    }),
    kubernetesVersion: kubernetesVersion(node),
    networking: networking(request),
    kubeletConfiguration: { baseConfig: { ...clusterKubeletFields(node) } },
  };
}

/** Discovery by token before v1beta1. */
export function tokenDiscovery(cluster: Extract<ConfigRequest['cluster'], { kind: 'join' }>): {
  readonly [key: string]: Plain;
} {
  return {
    discoveryTokenAPIServers: [cluster.apiServer],
    discoveryTokenCACertHashes: cluster.caCertHashes,
    token: cluster.token,
  };
}
