import { isNodeName } from '../facts/system.ts';
import { compareVersions, type GeneratorData, isKnownVersion, topicAt, versionNumbers } from '../model/data.ts';
import type { Facts, RuntimeFacts } from '../model/facts.ts';
import { isEndpoint, isSameEndpoint, runtimeAt, usableRuntimes, withScheme } from '../plan/runtime-choice.ts';
import { type Arguments, COMMON_FLAGS, type Flag, parseArguments, sanitize } from '../text/arguments.ts';
import { addressFamily, type Cidr, canonicalAddress, parseCidrs } from '../text/cidr.ts';

/** The validated input about the node for both commands. */
export interface NodeRequest {
  /** Version of Kubernetes, without `v`. */
  readonly version: string;
  /** In the form of this version of kubeadm; undefined when kubeadm must detect it. */
  readonly criSocket: string | undefined;
  /** The runtime is Docker through the kubelet's dockershim. */
  readonly dockershim: boolean;
  /** The cgroup driver of the runtime; undefined when it is unknown or the runtime is not on this host. */
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | undefined;
  /** The kubelet gets the cgroup driver from the runtime. */
  readonly cgroupDriverFromRuntime: boolean;
  /** undefined when it is the host name. */
  readonly nodeName: string | undefined;
  readonly nodeIp: string | undefined;
  /** systemd-resolved is running on the host. */
  readonly resolved: boolean;
  /** One, or one of each family. */
  readonly serviceCidrs: readonly [Cidr, ...Cidr[]];
  readonly dualStack: 'no' | 'gate' | 'yes';
  /** Messages for standard error. */
  readonly notes: readonly string[];
}

/** The flags of a command are invalid. The message says how to correct them. */
export class RequestError extends Error {}

export const NODE_FLAGS: readonly Flag[] = [
  {
    name: 'kubernetes-version',
    value: 'VERSION',
    help: 'version of Kubernetes; default: the version of the installed kubelet',
  },
  { name: 'service-cidr', value: 'CIDR[,CIDR]', help: 'service network, IPv4, IPv6 or both; default: 10.96.0.0/12' },
  { name: 'cri-socket', value: 'SOCKET', help: 'socket of the container runtime; default: the only one on this host' },
  { name: 'node-name', value: 'NAME', help: 'name of this node; default: its host name' },
  {
    name: 'node-ip',
    value: 'ADDRESS[,ADDRESS]',
    help: 'addresses that the kubelet reports; default: chosen by the kubelet',
  },
];

const DEFAULT_SERVICE_CIDR = '10.96.0.0/12';
export const RESOLVED_RESOLV_CONF = '/run/systemd/resolve/resolv.conf';

/** Parses the flags of a command and the common flags. */
export function readArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  return parseArguments(argv, [...flags, ...COMMON_FLAGS]);
}

/**
 * @throws RequestError for an invalid flag, for an unsupported version, and when there are several runtimes and none is
 * chosen
 */
export function nodeRequest(values: Arguments['values'], facts: Facts, data: GeneratorData): NodeRequest {
  const notes: string[] = [];
  const version = requestedVersion(values['kubernetes-version'], facts, data);
  const dockershimSocket = topicAt(data.kubelet.dockershim, version)
    ? pathOf(topicAt(data.kubelet.defaultEndpoint, version) ?? '')
    : undefined;
  const detected =
    values['cri-socket'] === undefined ? chooseRuntime(facts, dockershimSocket !== undefined) : undefined;
  const criSocket =
    detected?.name === 'docker' ? dockershimSocket : socketOf(values['cri-socket'], detected, version, data);
  const runtime = detected ?? (criSocket === undefined ? undefined : runtimeAt(facts, criSocket, dockershimSocket));
  const serviceCidrs = requestedCidrs('service-cidr', values['service-cidr'] ?? DEFAULT_SERVICE_CIDR);
  return {
    version,
    criSocket,
    dockershim: dockershimSocket !== undefined && criSocket === dockershimSocket,
    cgroupDriver: runtime?.cgroupDriver,
    cgroupDriverFromRuntime:
      runtime?.reportsCgroupDriver === true && topicAt(data.kubelet.cgroupDriverFromRuntime, version) === true,
    nodeName: requestedNodeName(values['node-name'], facts, notes),
    nodeIp: requestedNodeIp(values['node-ip']),
    resolved: facts.resolver.resolved,
    serviceCidrs,
    dualStack: dualStackOf(serviceCidrs, version, data),
    notes,
  };
}

function requestedVersion(flag: string | undefined, facts: Facts, data: GeneratorData): string {
  const text = flag ?? facts.kubelet.version ?? data.kubeletVersion;
  if (text === undefined) {
    throw new RequestError(
      'cannot determine the version of the installed kubelet; use --kubernetes-version, such as 1.30.2',
    );
  }
  const version = text.charAt(0) === 'v' ? text.slice(1) : text;
  if (!/^1\.\d{1,3}\.\d{1,4}(-(alpha|beta|rc)\.\d{1,4})?$/.test(version) || versionNumbers(version) === undefined) {
    throw new RequestError(`invalid Kubernetes version ${sanitize(text)}; expected a version such as 1.30.2`);
  }
  if (!isKnownVersion(data, version)) {
    throw new RequestError(`Kubernetes ${version} is not supported; expected ${data.oldest} to ${data.newest}`);
  }
  return version;
}

function chooseRuntime(facts: Facts, dockershim: boolean): RuntimeFacts | undefined {
  const found = usableRuntimes(facts.runtimes, dockershim);
  const requested = facts.settings.criEndpoint;
  if (requested !== undefined) return found.find(({ endpoint }) => isSameEndpoint(endpoint, requested));
  if (found.length > 1) {
    const names = found.map(({ name, endpoint }) => `${name} (${endpoint})`).join(' and ');
    throw new RequestError(`there are several container runtimes, ${names}; choose one with --cri-socket`);
  }
  return found[0];
}

function socketOf(
  flag: string | undefined,
  detected: RuntimeFacts | undefined,
  version: string,
  data: GeneratorData,
): string | undefined {
  const socket = flag ?? detected?.endpoint;
  if (socket === undefined) return undefined;
  if (!isEndpoint(withScheme(socket))) {
    throw new RequestError(`invalid CRI socket ${sanitize(socket)}; expected a path or unix://PATH`);
  }
  if (topicAt(data.kubelet.endpointScheme, version) === 'required') return withScheme(socket);
  // The endpoint of a detected runtime has a scheme. The value of --cri-socket is not changed.
  return detected === undefined ? socket : pathOf(socket);
}

function pathOf(endpoint: string): string {
  return endpoint.replace(/^unix:\/\//, '');
}

function requestedNodeName(flag: string | undefined, { node }: Facts, notes: string[]): string | undefined {
  const hostName = node.hostName.toLowerCase();
  if (flag !== undefined) {
    if (flag !== flag.toLowerCase() || !isNodeName(flag)) {
      throw new RequestError(
        `invalid node name ${sanitize(flag)}; use lower-case letters, digits, - and ., and start and end with a letter or digit`,
      );
    }
    return flag === hostName ? undefined : flag;
  }
  if (node.validNodeName) return undefined;
  const name = hostName
    .replace(/[^a-z0-9.]+/g, '-')
    .split('.')
    .map((label) => label.replace(/^-+|-+$/g, ''))
    .filter((label) => label !== '')
    .join('.');
  if (!isNodeName(name)) throw new RequestError('the host name cannot be converted to a node name; use --node-name');
  notes.push(
    `the host name ${sanitize(node.hostName)} is not a valid node name; using ${name} (change it with --node-name)`,
  );
  return name;
}

function requestedNodeIp(flag: string | undefined): string | undefined {
  if (flag === undefined) return undefined;
  const addresses = flag.split(',', 3).map((each) => requestedAddress('node-ip', each));
  const [first, second, third] = addresses;
  if (third !== undefined || (second !== undefined && addressFamily(first ?? '') === addressFamily(second))) {
    throw new RequestError(`invalid --node-ip ${sanitize(flag)}; expected one address, or one of each family`);
  }
  return addresses.join(',');
}

/** @throws RequestError for text that is not an address */
export function requestedAddress(flag: string, text: string): string {
  const address = canonicalAddress(text);
  if (address === undefined) throw new RequestError(`invalid --${flag} ${sanitize(text)}; expected an IP address`);
  return address;
}

/** @throws RequestError for text that is neither a network nor one network of each family */
export function requestedCidrs(flag: string, text: string): readonly [Cidr, ...Cidr[]] {
  const [first, ...more] = parseCidrs(text) ?? [];
  if (first === undefined) {
    throw new RequestError(
      `invalid --${flag} ${sanitize(text)}; expected a network such as 10.96.0.0/12 or fd00:10:96::/112, or one of each separated by a comma`,
    );
  }
  return [first, ...more];
}

/** @throws RequestError when this version of Kubernetes does not support dual stack */
export function dualStackOf(cidrs: readonly Cidr[], version: string, data: GeneratorData): NodeRequest['dualStack'] {
  if (cidrs.length < 2) return 'no';
  const support = topicAt(data.kubeadm.dualStack, version);
  if (support === 'supported') return 'yes';
  if (support === 'gate') return 'gate';
  const since = data.kubeadm.dualStack.find(({ value }) => value !== 'unsupported')?.since ?? data.newest;
  throw new RequestError(`two networks (dual stack) need Kubernetes ${since} or later, not ${version}`);
}

/** `1.20` of `1.20.2`. */
export function minorOf(version: string): string {
  const [major, minor] = versionNumbers(version) ?? [0, 0];
  return `${major}.${minor}`;
}

/** API versions that this version of kubeadm supports, oldest first. */
export function apisOf(version: string, data: GeneratorData): GeneratorData['kubeadm']['apis'][number]['version'][] {
  return data.kubeadm.apis
    .filter(
      ({ since, until }) =>
        compareVersions(version, since) >= 0 && (until === undefined || compareVersions(version, until) < 0),
    )
    .map((api) => api.version);
}
