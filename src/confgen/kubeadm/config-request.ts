import { type GeneratorData, KUBEADM_API_VERSIONS, type KubeadmApiVersion, topicAt } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import { type Arguments, type Flag, sanitize } from '../text/arguments.ts';
import { addressFamily, type Cidr } from '../text/cidr.ts';
import {
  apisOf,
  dualStackOf,
  NODE_FLAGS,
  type NodeRequest,
  nodeRequest,
  RESOLVED_RESOLV_CONF,
  RequestError,
  requestedAddress,
  requestedCidrs,
} from './node-request.ts';

/** The validated input of `kubeadm-config`. */
export interface ConfigRequest {
  readonly node: NodeRequest;
  readonly api: KubeadmApiVersion;
  readonly token: string | undefined;
  readonly cluster:
    | {
        readonly kind: 'init';
        readonly podCidrs: readonly Cidr[] | undefined;
        /** host:port or host */
        readonly controlPlaneEndpoint: string | undefined;
        readonly advertiseAddress: string | undefined;
      }
    | {
        readonly kind: 'join';
        /** host:port */
        readonly apiServer: string;
        readonly token: string;
        readonly caCertHashes: readonly string[];
      };
  /** Kubelet flags for this node, without dashes. */
  readonly kubeletExtraArgs: Readonly<Record<string, string>>;
}

export const CONFIG_FLAGS: readonly Flag[] = [
  { name: 'kind', value: 'KIND', choices: ['init', 'join'], help: 'kubeadm command to configure' },
  {
    name: 'api-version',
    value: 'API',
    choices: KUBEADM_API_VERSIONS,
    help: 'API version; default: the newest that kubeadm supports',
  },
  ...NODE_FLAGS,
  { name: 'pod-cidr', value: 'CIDR[,CIDR]', help: 'init: pod network' },
  { name: 'advertise-address', value: 'ADDRESS', help: 'init: address of the API server on this node' },
  {
    name: 'control-plane-endpoint',
    aliases: ['api-server-endpoint'],
    value: 'HOST[:PORT]',
    help: 'init: stable address of the control plane; join: address of the API server',
  },
  { name: 'token', value: 'TOKEN', help: 'bootstrap token, such as abcdef.0123456789abcdef' },
  {
    name: 'discovery-token-ca-cert-hash',
    aliases: ['ca-cert-hash'],
    value: 'HASH[,HASH]',
    help: "join: sha256:HEX of the cluster CA's public key",
  },
];

/** Flags of only one kind. */
const EXCLUSIVE_FLAGS: Readonly<Record<'init' | 'join', readonly string[]>> = {
  init: ['service-cidr', 'pod-cidr', 'advertise-address'],
  join: ['discovery-token-ca-cert-hash'],
};

/** @throws RequestError for the first missing or invalid flag */
export function configRequest(values: Arguments['values'], facts: Facts, data: GeneratorData): ConfigRequest {
  const { kind } = values;
  if (kind !== 'init' && kind !== 'join') throw new RequestError('missing flag --kind init or --kind join');
  const stray = EXCLUSIVE_FLAGS[kind === 'init' ? 'join' : 'init'].find((flag) => values[flag] !== undefined);
  if (stray !== undefined) throw new RequestError(`--${stray} cannot be used with --kind ${kind}`);
  const node = nodeRequest(values, facts, data);
  const api = requestedApi(values['api-version'], node.version, data);
  const token = requestedToken(values.token);
  const cluster = kind === 'init' ? initRequest(values, node, data) : joinRequest(values, token);
  const kubeletExtraArgs = extraArgs(kind, node, data);
  return { node, api, token, cluster, kubeletExtraArgs };
}

function requestedApi(flag: string | undefined, version: string, data: GeneratorData): KubeadmApiVersion {
  const supported = apisOf(version, data);
  const newest = supported[supported.length - 1];
  if (newest === undefined) throw new RequestError(`kubeadm ${version} has no supported configuration API`);
  if (flag === undefined) return newest;
  const found = supported.find((each) => each === flag);
  if (found !== undefined) return found;
  throw new RequestError(`kubeadm ${version} does not support ${sanitize(flag)}; expected ${supported.join(', ')}`);
}

function initRequest(
  values: Arguments['values'],
  node: NodeRequest,
  data: GeneratorData,
): Extract<ConfigRequest['cluster'], { kind: 'init' }> {
  const podCidrs = values['pod-cidr'] === undefined ? undefined : requestedCidrs('pod-cidr', values['pod-cidr']);
  if (podCidrs !== undefined) dualStackOf(podCidrs, node.version, data);
  const families = (cidrs: readonly Cidr[]) => cidrs.map(({ family }) => family);
  const services = families(node.serviceCidrs);
  if (podCidrs !== undefined && services.some((family) => !families(podCidrs).includes(family))) {
    throw new RequestError('--pod-cidr needs the same address families as --service-cidr');
  }
  const advertise = values['advertise-address'];
  const advertiseAddress = advertise === undefined ? undefined : requestedAddress('advertise-address', advertise);
  if (advertiseAddress !== undefined && addressFamily(advertiseAddress) !== services[0]) {
    throw new RequestError(
      '--advertise-address and the first network of --service-cidr must have the same address family',
    );
  }
  const endpoint = values['control-plane-endpoint'];
  return {
    kind: 'init',
    podCidrs,
    advertiseAddress,
    controlPlaneEndpoint: endpoint === undefined ? undefined : requestedEndpoint(endpoint, false),
  };
}

function joinRequest(
  values: Arguments['values'],
  token: string | undefined,
): Extract<ConfigRequest['cluster'], { kind: 'join' }> {
  const endpoint = values['control-plane-endpoint'];
  if (endpoint === undefined) {
    throw new RequestError('--kind join needs --control-plane-endpoint, such as 192.0.2.10:6443');
  }
  if (token === undefined) throw new RequestError('--kind join needs --token; create one with: kubeadm token create');
  const hashes = values['discovery-token-ca-cert-hash'];
  if (hashes === undefined) {
    throw new RequestError(
      '--kind join needs --discovery-token-ca-cert-hash; print it with: kubeadm token create --print-join-command',
    );
  }
  const caCertHashes = hashes.split(',').map((hash) => {
    if (!/^sha256:[0-9a-f]{64}$/i.test(hash)) {
      throw new RequestError(
        `invalid CA certificate hash ${sanitize(hash)}; expected sha256: and 64 hexadecimal digits`,
      );
    }
    return hash.toLowerCase();
  });
  return { kind: 'join', apiServer: requestedEndpoint(endpoint, true), token, caCertHashes };
}

function requestedToken(flag: string | undefined): string | undefined {
  if (flag !== undefined && !/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(flag)) {
    // It may be a secret with a typing error, so it is not printed.
    throw new RequestError(
      'invalid token; expected 6 and 16 lower-case letters or digits separated by a dot, such as abcdef.0123456789abcdef',
    );
  }
  return flag;
}

const API_PORT = 6443;

/** host, host:port or [address]:port. Adds the default port with `withPort`. */
function requestedEndpoint(text: string, withPort: boolean): string {
  const found = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^:[\]]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  const bare = addressFamily(text) === 6 ? text : undefined;
  const host = bare ?? found?.[1] ?? found?.[2] ?? '';
  const family = addressFamily(host);
  const port = found?.[3] ?? (withPort ? String(API_PORT) : undefined);
  const bracketed = bare !== undefined || found?.[1] !== undefined;
  const isHost = bracketed ? family === 6 : family === 4 || (/[a-z]/i.test(host) && isName(host));
  if (!isHost || Number(port ?? API_PORT) < 1 || Number(port ?? API_PORT) > 65535) {
    throw new RequestError(
      `invalid endpoint ${sanitize(text)}; expected HOST or HOST:PORT, with an IPv6 address in brackets`,
    );
  }
  const name = family === 6 ? `[${requestedAddress('control-plane-endpoint', host)}]` : host;
  // Without a port, kubeadm accepts an IPv6 address only without brackets.
  if (port === undefined) return family === 6 ? requestedAddress('control-plane-endpoint', host) : host;
  return `${name}:${Number(port)}`;
}

function isName(host: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i.test(host);
}

/** The cluster's configuration applies to all nodes, so settings of this node must be flags. */
function extraArgs(kind: 'init' | 'join', node: NodeRequest, data: GeneratorData): Record<string, string> {
  const args: Record<string, string> = {};
  if (node.nodeIp !== undefined) args['node-ip'] = node.nodeIp;
  if (kind === 'init') return args;
  const clusterDriver = topicAt(data.kubeadm.cgroupDriver, node.version) === 'systemd' ? 'systemd' : 'cgroupfs';
  // These versions of kubeadm write the flag for Docker.
  const writtenByKubeadm = node.dockershim && topicAt(data.kubeadm.dockerCgroupDriver, node.version) === 'flag';
  if (
    node.cgroupDriver !== undefined &&
    node.cgroupDriver !== clusterDriver &&
    !node.cgroupDriverFromRuntime &&
    !writtenByKubeadm
  ) {
    args['cgroup-driver'] = node.cgroupDriver;
  }
  // Earlier versions of kubeadm write the flag. Later ones use the path of the first node, from the ConfigMap.
  if (node.resolved && topicAt(data.kubeadm.resolvConf, node.version) === 'config') {
    args['resolv-conf'] = RESOLVED_RESOLV_CONF;
  }
  return args;
}
