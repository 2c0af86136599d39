import { isNodeName } from '../facts/node-name.ts';
import { compareVersions, type GeneratorData, isKnownVersion, topicAt, versionNumbers } from '../model/data.ts';
import type { Facts, RuntimeFacts } from '../model/facts.ts';
import { isEndpoint } from '../plan/choose-runtime.ts';
import { type Arguments, COMMON_FLAGS, type Flag, parseArguments, shown } from '../text/arguments.ts';
import { addressFamily, type Cidr, canonicalAddress, parseCidrs } from '../text/cidr.ts';

/** What both commands know of a node before they write anything. */
export interface NodeRequest {
  /** Of Kubernetes, without `v`. */
  readonly version: string;
  /** As kubeadm of this version writes it; undefined: kubeadm is left to find it. */
  readonly criSocket: string | undefined;
  /** Through the kubelet's own dockershim. */
  readonly dockershim: boolean;
  /** What the runtime is configured for; undefined: not known, or a runtime that is not on this host. */
  readonly cgroupDriver: 'systemd' | 'cgroupfs' | undefined;
  /** The kubelet asks the runtime for its driver, so none need be said. */
  readonly asksForCgroupDriver: boolean;
  /** Only where it differs from the host name. */
  readonly nodeName: string | undefined;
  readonly nodeIp: string | undefined;
  /** systemd-resolved runs on the host. */
  readonly resolved: boolean;
  /** One, or one of each family. */
  readonly serviceCidrs: readonly [Cidr, ...Cidr[]];
  readonly dualStack: 'no' | 'gate' | 'yes';
  /** For the reader of standard error, one sentence each. */
  readonly notes: readonly string[];
}

/** A command's flags cannot be obeyed: one sentence, and what to do about it. */
export class RequestError extends Error {}

export const NODE_FLAGS: readonly Flag[] = [
  { name: 'kubernetes-version', value: 'VERSION', help: "Kubernetes to write for; by default the kubelet's own" },
  { name: 'service-cidr', value: 'CIDR[,CIDR]', help: 'network of services, IPv4, IPv6 or both; default 10.96.0.0/12' },
  { name: 'cri-socket', value: 'SOCKET', help: 'of the container runtime; by default the only one on this host' },
  { name: 'node-name', value: 'NAME', help: 'of this node; by default its host name' },
  { name: 'node-ip', value: 'ADDRESS[,ADDRESS]', help: 'that the kubelet announces; by default it chooses' },
];

const DEFAULT_SERVICE_CIDR = '10.96.0.0/12';

/** The flags of a command, with those that all have. */
export function readArguments(argv: readonly string[], flags: readonly Flag[]): Arguments {
  return parseArguments(argv, [...flags, ...COMMON_FLAGS]);
}

/**
 * @throws RequestError for a flag that cannot be, for a version that is not known, and for two runtimes with no choice
 * between them
 */
export function nodeRequest(values: Arguments['values'], facts: Facts, data: GeneratorData): NodeRequest {
  const notes: string[] = [];
  const version = requestedVersion(values['kubernetes-version'], facts, data);
  const dockershim = topicAt(data.kubelet.dockershim, version) === true;
  const runtime = values['cri-socket'] === undefined ? chooseRuntime(facts, dockershim) : undefined;
  const criSocket = socketOf(values['cri-socket'] ?? runtime?.endpoint, runtime, dockershim, version, data);
  const onHost = runtime ?? runtimeAt(facts, criSocket, dockershim, data, version);
  const serviceCidrs = requestedCidrs('service-cidr', values['service-cidr'] ?? DEFAULT_SERVICE_CIDR);
  return {
    version,
    criSocket,
    dockershim: dockershim && criSocket === dockershimSocket(data, version),
    cgroupDriver: onHost?.cgroupDriver,
    asksForCgroupDriver:
      onHost?.tellsCgroupDriver === true && topicAt(data.kubelet.cgroupDriverFromRuntime, version) === true,
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
    throw new RequestError("which kubelet is installed here is not known; say --kubernetes-version, as '1.30.2'");
  }
  const version = text.charAt(0) === 'v' ? text.slice(1) : text;
  if (!/^1\.\d{1,3}\.\d{1,4}(-(alpha|beta|rc)\.\d{1,4})?$/.test(version) || versionNumbers(version) === undefined) {
    throw new RequestError(`a version of Kubernetes is written as 1.30.2, not ${shown(text)}`);
  }
  if (!isKnownVersion(data, version)) {
    throw new RequestError(`Kubernetes ${data.oldest} to ${data.newest} are known here, ${version} is not`);
  }
  return version;
}

/** The only one that runs; where none runs (an image), the only one that is installed. */
function chooseRuntime(facts: Facts, dockershim: boolean): RuntimeFacts | undefined {
  const usable = facts.runtimes.filter(({ name, criDisabled }) => !criDisabled && (name !== 'docker' || dockershim));
  const running = usable.filter(({ socket }) => socket);
  const found = running.length > 0 ? running : usable;
  const asked = facts.settings.criEndpoint;
  if (asked !== undefined) {
    return found.find(({ endpoint }) => samePlace(endpoint, asked));
  }
  if (found.length > 1) {
    const names = found.map(({ name, endpoint }) => `${name} (${endpoint})`).join(' and ');
    throw new RequestError(`${names} are both here; choose with --cri-socket`);
  }
  return found[0];
}

function socketOf(
  socket: string | undefined,
  runtime: RuntimeFacts | undefined,
  dockershim: boolean,
  version: string,
  data: GeneratorData,
): string | undefined {
  if (socket === undefined) return undefined;
  if (runtime?.name === 'docker' && dockershim) return dockershimSocket(data, version);
  if (!isEndpoint(socket.charAt(0) === '/' ? `unix://${socket}` : socket)) {
    throw new RequestError(`a CRI socket is a path or unix:// with a path, not ${shown(socket)}`);
  }
  if (topicAt(data.kubelet.endpointScheme, version) === 'wanted') {
    return socket.charAt(0) === '/' ? `unix://${socket}` : socket;
  }
  // What the host's facts say has a scheme; what a person says is taken as it is.
  return runtime === undefined ? socket : pathOf(socket);
}

function dockershimSocket(data: GeneratorData, version: string): string {
  return pathOf(topicAt(data.kubelet.defaultEndpoint, version) ?? '');
}

function runtimeAt(
  facts: Facts,
  socket: string | undefined,
  dockershim: boolean,
  data: GeneratorData,
  version: string,
): RuntimeFacts | undefined {
  if (socket === undefined) return undefined;
  if (dockershim && samePlace(socket, dockershimSocket(data, version))) {
    return facts.runtimes.find(({ name }) => name === 'docker');
  }
  return facts.runtimes.find(({ endpoint }) => samePlace(endpoint, socket));
}

function pathOf(endpoint: string): string {
  return endpoint.replace(/^unix:\/\//, '');
}

/** /var/run is a link to /run. */
function samePlace(a: string, b: string): boolean {
  const [one, other] = [a, b].map((each) => pathOf(each).replace(/^\/var\/run\//, '/run/'));
  return one === other;
}

function requestedNodeName(flag: string | undefined, { node }: Facts, notes: string[]): string | undefined {
  const hostName = node.hostName.toLowerCase();
  if (flag !== undefined) {
    if (flag !== flag.toLowerCase() || !isNodeName(flag)) {
      throw new RequestError(
        `a node name has lower-case letters, digits, - and . only, and starts and ends with a letter or digit: ${shown(flag)} is none`,
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
  if (!isNodeName(name)) throw new RequestError('the host name cannot be made a node name; say --node-name');
  notes.push(`the host name ${shown(node.hostName)} is no node name; ${name} is written instead (--node-name)`);
  return name;
}

function requestedNodeIp(flag: string | undefined): string | undefined {
  if (flag === undefined) return undefined;
  const addresses = flag.split(',', 3).map((each) => requestedAddress('node-ip', each));
  const [first, second, third] = addresses;
  if (third !== undefined || (second !== undefined && addressFamily(first ?? '') === addressFamily(second))) {
    throw new RequestError(`--node-ip is one address, or one of each family, not ${shown(flag)}`);
  }
  return addresses.join(',');
}

/** @throws RequestError for what is no address */
export function requestedAddress(flag: string, text: string): string {
  const address = canonicalAddress(text);
  if (address === undefined) throw new RequestError(`--${flag} is an IP address, not ${shown(text)}`);
  return address;
}

/** @throws RequestError for what is neither a network nor one of each family */
export function requestedCidrs(flag: string, text: string): readonly [Cidr, ...Cidr[]] {
  const [first, ...more] = parseCidrs(text) ?? [];
  if (first === undefined) {
    throw new RequestError(
      `--${flag} is a network such as 10.96.0.0/12 or fd00:10:96::/112, or one of each with a comma between, not ${shown(text)}`,
    );
  }
  return [first, ...more];
}

/** @throws RequestError where Kubernetes of this version has one family only */
export function dualStackOf(cidrs: readonly Cidr[], version: string, data: GeneratorData): NodeRequest['dualStack'] {
  if (cidrs.length < 2) return 'no';
  const support = topicAt(data.kubeadm.dualStack, version);
  if (support === 'supported') return 'yes';
  if (support === 'gate') return 'gate';
  const since = data.kubeadm.dualStack.find(({ value }) => value !== 'unsupported')?.since ?? data.newest;
  throw new RequestError(`two networks (dual stack) need Kubernetes ${since} or later, this is ${version}`);
}

/** `1.20` of `1.20.2`. */
export function minorOf(version: string): string {
  const [major, minor] = versionNumbers(version) ?? [0, 0];
  return `${major}.${minor}`;
}

/** API versions that kubeadm of this version reads, oldest first. */
export function apisOf(version: string, data: GeneratorData): GeneratorData['kubeadm']['apis'][number]['version'][] {
  return data.kubeadm.apis
    .filter(
      ({ since, until }) =>
        compareVersions(version, since) >= 0 && (until === undefined || compareVersions(version, until) < 0),
    )
    .map((api) => api.version);
}
