import { type GeneratorData, KUBEADM_API_VERSIONS, type KubeadmApiVersion, topicAt } from '../model/data.ts';
import type { Facts } from '../model/facts.ts';
import { type Arguments, type Flag, shown } from '../text/arguments.ts';
import { addressFamily, type Cidr } from '../text/cidr.ts';
import {
  apisOf,
  dualStackOf,
  NODE_FLAGS,
  type NodeRequest,
  nodeRequest,
  RequestError,
  requestedAddress,
  requestedCidrs,
} from './request.ts';

/** All that `kubeadm-config` writes. */
export interface ConfigRequest {
  readonly node: NodeRequest;
  readonly api: KubeadmApiVersion;
  readonly token: string | undefined;
  readonly cluster:
    | {
        readonly kind: 'init';
        readonly podCidrs: readonly Cidr[] | undefined;
        /** host:port or a host's name. */
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
  /** Flags that the kubelet of this one node needs, without dashes. */
  readonly kubeletExtraArgs: Readonly<Record<string, string>>;
}

export const CONFIG_FLAGS: readonly Flag[] = [
  { name: 'kind', value: 'KIND', choices: ['init', 'join'], help: 'for which command of kubeadm' },
  {
    name: 'api-version',
    value: 'API',
    choices: KUBEADM_API_VERSIONS,
    help: 'by default the newest that kubeadm reads',
  },
  ...NODE_FLAGS,
  { name: 'pod-cidr', value: 'CIDR[,CIDR]', help: 'init: network of pods' },
  { name: 'advertise-address', value: 'ADDRESS', help: 'init: where the API server of this node answers' },
  {
    name: 'control-plane-endpoint',
    aliases: ['api-server-endpoint'],
    value: 'HOST[:PORT]',
    help: "init: the control plane's stable name; join: its API server",
  },
  { name: 'token', value: 'TOKEN', help: 'bootstrap token, as abcdef.0123456789abcdef' },
  {
    name: 'discovery-token-ca-cert-hash',
    aliases: ['ca-cert-hash'],
    value: 'HASH[,HASH]',
    help: "join: of the cluster CA's public key, sha256:HEX",
  },
];

const ONLY: Readonly<Record<'init' | 'join', readonly string[]>> = {
  init: ['service-cidr', 'pod-cidr', 'advertise-address'],
  join: ['discovery-token-ca-cert-hash'],
};

/** @throws RequestError with one sentence about the first thing that cannot be */
export function configRequest(values: Arguments['values'], facts: Facts, data: GeneratorData): ConfigRequest {
  const { kind } = values;
  if (kind !== 'init' && kind !== 'join') throw new RequestError('say --kind init or --kind join');
  const stray = ONLY[kind === 'init' ? 'join' : 'init'].find((flag) => values[flag] !== undefined);
  if (stray !== undefined) throw new RequestError(`--${stray} does not go with --kind ${kind}`);
  const node = nodeRequest(values, facts, data);
  const api = requestedApi(values['api-version'], node.version, data);
  const token = requestedToken(values.token);
  const cluster = kind === 'init' ? initRequest(values, node, data) : joinRequest(values, token);
  const kubeletExtraArgs = extraArgs(kind, node, data);
  return { node, api, token, cluster, kubeletExtraArgs };
}

function requestedApi(flag: string | undefined, version: string, data: GeneratorData): KubeadmApiVersion {
  const read = apisOf(version, data);
  const newest = read[read.length - 1];
  if (newest === undefined) throw new RequestError(`no configuration is known that kubeadm ${version} reads`);
  if (flag === undefined) return newest;
  const found = read.find((each) => each === flag);
  if (found === undefined) throw new RequestError(`kubeadm ${version} reads ${read.join(', ')}, not ${shown(flag)}`);
  return found;
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
    throw new RequestError('--pod-cidr lacks a family of addresses that --service-cidr has');
  }
  const advertise = values['advertise-address'];
  const advertiseAddress = advertise === undefined ? undefined : requestedAddress('advertise-address', advertise);
  if (advertiseAddress !== undefined && addressFamily(advertiseAddress) !== services[0]) {
    throw new RequestError('--advertise-address is not of the family of the first network of --service-cidr');
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
  if (endpoint === undefined) throw new RequestError('--kind join needs --control-plane-endpoint, as 192.0.2.10:6443');
  if (token === undefined) throw new RequestError('--kind join needs --token; kubeadm token create makes one');
  const hashes = values['discovery-token-ca-cert-hash'];
  if (hashes === undefined) {
    throw new RequestError(
      '--kind join needs --discovery-token-ca-cert-hash; kubeadm token create --print-join-command prints it',
    );
  }
  const caCertHashes = hashes.split(',').map((hash) => {
    if (!/^sha256:[0-9a-f]{64}$/i.test(hash)) {
      throw new RequestError(`a CA's hash is sha256: and 64 hexadecimal digits, not ${shown(hash)}`);
    }
    return hash.toLowerCase();
  });
  return { kind: 'join', apiServer: requestedEndpoint(endpoint, true), token, caCertHashes };
}

function requestedToken(flag: string | undefined): string | undefined {
  if (flag !== undefined && !/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(flag)) {
    // It may be a secret with a slip in it: it is not repeated.
    throw new RequestError(
      'a token is 6 and 16 lower-case letters or digits with a dot between: abcdef.0123456789abcdef',
    );
  }
  return flag;
}

const API_PORT = 6443;

/** host, host:port, [address]:port; with a port at the end where it must have one. */
function requestedEndpoint(text: string, withPort: boolean): string {
  const found = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([^:[\]]{1,253}))(?::(\d{1,5}))?$/.exec(text);
  const bare = addressFamily(text) === 6 ? text : undefined;
  const host = bare ?? found?.[1] ?? found?.[2] ?? '';
  const family = addressFamily(host);
  const port = found?.[3] ?? (withPort ? String(API_PORT) : undefined);
  const bracketed = bare !== undefined || found?.[1] !== undefined;
  const isHost = bracketed ? family === 6 : family === 4 || (/[a-z]/i.test(host) && isName(host));
  if (!isHost || Number(port ?? API_PORT) < 1 || Number(port ?? API_PORT) > 65535) {
    throw new RequestError(`an endpoint is HOST or HOST:PORT, an IPv6 address in brackets, not ${shown(text)}`);
  }
  const name = family === 6 ? `[${requestedAddress('control-plane-endpoint', host)}]` : host;
  // kubeadm takes an address without a port bare only.
  if (port === undefined) return family === 6 ? requestedAddress('control-plane-endpoint', host) : host;
  return `${name}:${Number(port)}`;
}

function isName(host: string): boolean {
  return /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\.?$/i.test(host);
}

/** A cluster's configuration is the same for all its nodes; what must not be is a flag of this one. */
function extraArgs(kind: 'init' | 'join', node: NodeRequest, data: GeneratorData): Record<string, string> {
  const args: Record<string, string> = {};
  if (node.nodeIp !== undefined) args['node-ip'] = node.nodeIp;
  if (kind === 'init') return args;
  const clusters = topicAt(data.kubeadm.cgroupDriver, node.version) === 'systemd' ? 'systemd' : 'cgroupfs';
  // Docker's is found by kubeadm itself where it writes the flag.
  const found = node.dockershim && topicAt(data.kubeadm.dockerCgroupDriver, node.version) === 'flag';
  if (node.cgroupDriver !== undefined && node.cgroupDriver !== clusters && !node.asksForCgroupDriver && !found) {
    args['cgroup-driver'] = node.cgroupDriver;
  }
  // Where kubeadm writes the flag itself it need not be said; later the first node's path comes with the ConfigMap.
  if (node.resolved && topicAt(data.kubeadm.resolvConf, node.version) === 'config') {
    args['resolv-conf'] = RESOLVED_RESOLV_CONF;
  }
  return args;
}

export const RESOLVED_RESOLV_CONF = '/run/systemd/resolve/resolv.conf';
