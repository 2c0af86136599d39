import type { KubeadmApiVersion } from '../model/data.ts';
import type { Plain } from '../text/yaml-write.ts';
import type { ConfigRequest } from './config-request.ts';
import { clusterKubeletConfiguration, clusterKubeletFields } from './kubelet-configuration.ts';

type Fields = { readonly [key: string]: Plain | undefined };
type InitRequest = Extract<ConfigRequest['cluster'], { kind: 'init' }>;
type JoinRequest = Extract<ConfigRequest['cluster'], { kind: 'join' }>;

/** The YAML documents of a kubeadm configuration in the requested API version. */
export function kubeadmDocuments(request: ConfigRequest): readonly Plain[] {
  if (request.api === 'v1alpha1') return v1alpha1Documents(request);
  if (request.api === 'v1alpha2') return v1alpha2Documents(request);
  return laterDocuments(request, request.api);
}

/** MasterConfiguration and NodeConfiguration of kubeadm 1.8 to 1.11. */
function v1alpha1Documents(request: ConfigRequest): readonly Plain[] {
  const { node, cluster, token } = request;
  const common = { apiVersion: 'kubeadm.k8s.io/v1alpha1' };
  const host = { criSocket: node.criSocket, nodeName: node.nodeName };
  if (cluster.kind === 'join') {
    return [{ ...common, kind: 'NodeConfiguration', ...host, ...tokenDiscovery(cluster) }];
  }
  return [{ ...common, kind: 'MasterConfiguration', ...host, ...masterFields(request, cluster), token }];
}

/** The same kinds in kubeadm 1.11 and 1.12, with nodeRegistration. */
function v1alpha2Documents(request: ConfigRequest): readonly Plain[] {
  const { cluster } = request;
  const common = { apiVersion: 'kubeadm.k8s.io/v1alpha2' };
  const registration = { nodeRegistration: nodeRegistration(request) };
  if (cluster.kind === 'join') {
    return [{ ...common, kind: 'NodeConfiguration', ...tokenDiscovery(cluster), ...registration }];
  }
  const tokens = { bootstrapTokens: bootstrapTokens(request) };
  return [{ ...common, kind: 'MasterConfiguration', ...tokens, ...masterFields(request, cluster), ...registration }];
}

/** InitConfiguration, ClusterConfiguration and JoinConfiguration. v1alpha3 to v1beta4 differ only in field names. */
function laterDocuments(request: ConfigRequest, api: Exclude<KubeadmApiVersion, 'v1alpha1' | 'v1alpha2'>): Plain[] {
  const { node, cluster } = request;
  const apiVersion = `kubeadm.k8s.io/${api}`;
  const registration = { nodeRegistration: nodeRegistration(request) };
  if (cluster.kind === 'join') {
    const { apiServer: apiServerEndpoint, caCertHashes, token } = cluster;
    const discovery =
      api === 'v1alpha3'
        ? tokenDiscovery(cluster)
        : { discovery: { bootstrapToken: { apiServerEndpoint, caCertHashes, token } } };
    return [{ apiVersion, kind: 'JoinConfiguration', ...discovery, ...registration }];
  }
  const { advertiseAddress, controlPlaneEndpoint } = cluster;
  return [
    {
      apiVersion,
      kind: 'InitConfiguration',
      bootstrapTokens: bootstrapTokens(request),
      [api === 'v1alpha3' ? 'apiEndpoint' : 'localAPIEndpoint']: nonEmpty({ advertiseAddress }),
      ...registration,
    },
    {
      apiVersion,
      kind: 'ClusterConfiguration',
      controlPlaneEndpoint,
      featureGates: node.dualStack === 'gate' ? { IPv6DualStack: true } : undefined,
      kubernetesVersion: `v${node.version}`,
      networking: networking(request, cluster),
    },
    clusterKubeletConfiguration(node),
  ];
}

function masterFields(request: ConfigRequest, cluster: InitRequest): Fields {
  const { advertiseAddress, controlPlaneEndpoint } = cluster;
  return {
    api: nonEmpty({ advertiseAddress, controlPlaneEndpoint }),
    kubernetesVersion: `v${request.node.version}`,
    networking: networking(request, cluster),
    kubeletConfiguration: { baseConfig: { ...clusterKubeletFields(request.node) } },
  };
}

/** Discovery by token before v1beta1. */
function tokenDiscovery({ apiServer, caCertHashes, token }: JoinRequest): { readonly [key: string]: Plain } {
  return { discoveryTokenAPIServers: [apiServer], discoveryTokenCACertHashes: caCertHashes, token };
}

function bootstrapTokens({ token }: ConfigRequest): Plain | undefined {
  return token === undefined ? undefined : [{ token }];
}

/** NodeRegistrationOptions, since v1alpha2. Since v1beta4, kubeletExtraArgs is a list of names and values. */
function nodeRegistration({ node, api, kubeletExtraArgs }: ConfigRequest): Fields | undefined {
  const names = Object.keys(kubeletExtraArgs).sort();
  const list = names.map((name) => ({ name, value: kubeletExtraArgs[name] }));
  const args = api === 'v1beta4' ? list : kubeletExtraArgs;
  return nonEmpty({
    criSocket: node.criSocket,
    kubeletExtraArgs: names.length === 0 ? undefined : args,
    name: node.nodeName,
  });
}

function networking({ node }: ConfigRequest, { podCidrs }: InitRequest): Fields {
  return {
    dnsDomain: 'cluster.local',
    podSubnet: podCidrs?.map(({ text }) => text).join(','),
    serviceSubnet: node.serviceCidrs.map(({ text }) => text).join(','),
  };
}

/** undefined instead of an empty mapping. */
function nonEmpty(fields: Fields): Fields | undefined {
  return Object.keys(fields).some((key) => fields[key] !== undefined) ? fields : undefined;
}
