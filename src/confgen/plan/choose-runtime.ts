import type { RuntimeFacts } from '../model/facts.ts';
import { type Given, given, type Situation } from './situation.ts';

/** Which runtime the kubelet uses, and how that is known. */
export type RuntimeChoice =
  | {
      readonly kind: 'given';
      readonly endpoint: string;
      readonly by: Given;
      readonly runtime: RuntimeFacts | undefined;
    }
  /** KUBELET_CONFGEN_CRI_ENDPOINT; not checked yet. */
  | { readonly kind: 'asked'; readonly endpoint: string; readonly runtime: RuntimeFacts | undefined }
  | { readonly kind: 'certain'; readonly runtime: RuntimeFacts }
  | { readonly kind: 'several'; readonly runtimes: readonly RuntimeFacts[] }
  | { readonly kind: 'none'; readonly disabled: readonly RuntimeFacts[]; readonly docker: boolean };

/**
 * One is certain when it is the only one with a socket, or, where none has one (a tree of an image, a runtime that is
 * not started), the only one that is installed.
 */
export function choose(situation: Situation): RuntimeChoice {
  const { facts, kubelet } = situation;
  const by = given(facts, 'container-runtime-endpoint', 'containerRuntimeEndpoint');
  if (by !== undefined) {
    return { kind: 'given', endpoint: withScheme(by.value), by, runtime: runtimeAt(situation, by.value) };
  }
  const asked = facts.settings.criEndpoint;
  if (asked !== undefined && asked !== '') {
    const endpoint = withScheme(asked);
    return { kind: 'asked', endpoint, runtime: runtimeAt(situation, endpoint) };
  }
  // Before 1.24, kubeadm chose Docker by writing no endpoint into its flags.
  const docker = facts.runtimes.find(({ name }) => name === 'docker');
  if (kubelet.dockershim === true && docker !== undefined && facts.kubelet.kubeadmArgs.flags.length > 0) {
    return { kind: 'certain', runtime: docker };
  }
  return candidates(situation);
}

function candidates({ facts, kubelet }: Situation): RuntimeChoice {
  const served = facts.runtimes.filter(({ name }) => name !== 'docker' || kubelet.dockershim === true);
  const usable = served.filter(({ criDisabled }) => !criDisabled);
  const running = usable.filter(({ socket }) => socket);
  const found = running.length > 0 ? running : usable;
  const [first, second] = found;
  if (second !== undefined) return { kind: 'several', runtimes: found };
  if (first !== undefined) return { kind: 'certain', runtime: first };
  return {
    kind: 'none',
    disabled: served.filter(({ criDisabled }) => criDisabled),
    docker: facts.runtimes.some(({ name }) => name === 'docker'),
  };
}

/** The runtime behind an endpoint, whichever way its socket's path is written. */
function runtimeAt({ facts, kubelet }: Situation, endpoint: string): RuntimeFacts | undefined {
  if (kubelet.dockershim === true && samePlace(endpoint, kubelet.defaultEndpoint ?? '')) {
    return facts.runtimes.find(({ name }) => name === 'docker');
  }
  return facts.runtimes.find((each) => samePlace(each.endpoint, endpoint));
}

/** The endpoint of a runtime, with its scheme. */
export function endpointOf({ endpoint }: RuntimeFacts): string {
  return withScheme(endpoint);
}

/** Whether an endpoint can stand in an env file, a YAML file and a command line without quoting. */
export function isEndpoint(text: string): boolean {
  return text.length <= 200 && /^unix:\/\/(\/[A-Za-z0-9._@+-]+)+$/.test(text) && !/\/\.{1,2}(\/|$)/.test(text);
}

function withScheme(endpoint: string): string {
  return endpoint.charAt(0) === '/' ? `unix://${endpoint}` : endpoint;
}

/** /var/run is a link to /run. */
function samePlace(a: string, b: string): boolean {
  const [one, other] = [a, b].map((each) => withScheme(each).replace(/^unix:\/+var\/run\//, 'unix:///run/'));
  return one === other;
}
