import type { KubeadmApiVersion } from '../model/data.ts';
import type { Plain } from '../text/yaml-write.ts';
import { tokenDiscovery, v1alpha1Documents, v1alpha2Documents } from './alpha.ts';
import type { ConfigRequest } from './cluster-request.ts';
import { clusterKubeletConfiguration } from './kubelet-configuration.ts';
import { kubernetesVersion, networking, nodeRegistration, nonEmpty } from './parts.ts';

/** The YAML documents of a configuration, in the API version that it asks for. */
export function kubeadmDocuments(request: ConfigRequest): readonly Plain[] {
  if (request.api === 'v1alpha1') return v1alpha1Documents(request);
  if (request.api === 'v1alpha2') return v1alpha2Documents(request);
  return splitDocuments(request, request.api);
}

/** InitConfiguration, ClusterConfiguration and JoinConfiguration: v1alpha3 to v1beta4 differ in names of fields only. */
function splitDocuments(request: ConfigRequest, api: Exclude<KubeadmApiVersion, 'v1alpha1' | 'v1alpha2'>): Plain[] {
  const { node, cluster, token } = request;
  const apiVersion = `kubeadm.k8s.io/${api}`;
  const registration = { nodeRegistration: nodeRegistration(request) };
  if (cluster.kind === 'join') {
    const discovery =
      api === 'v1alpha3'
        ? tokenDiscovery(cluster)
        : {
            discovery: {
              bootstrapToken: {
                apiServerEndpoint: cluster.apiServer,
                caCertHashes: cluster.caCertHashes,
                token: cluster.token,
              },
            },
          };
    return [{ apiVersion, kind: 'JoinConfiguration', ...discovery, ...registration }];
  }
  const { advertiseAddress, controlPlaneEndpoint } = cluster;
  return [
    {
      apiVersion,
      kind: 'InitConfiguration',
      bootstrapTokens: token === undefined ? undefined : [{ token }],
      [api === 'v1alpha3' ? 'apiEndpoint' : 'localAPIEndpoint']: nonEmpty({ advertiseAddress }),
      ...registration,
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      controlPlaneEndpoint,
      featureGates: node.dualStack === 'gate' ? { IPv6DualStack: true } : undefined,
      kubernetesVersion: kubernetesVersion(node),
      networking: networking(request),
    },
    clusterKubeletConfiguration(node),
  ];
}
