import type { Facts, RuntimeFacts } from '../model/facts.ts';
import { type ConfiguredValue, configuredValue, type RuleContext } from './rule.ts';

/** The runtime that the kubelet uses, and the reason. */
export type RuntimeChoice =
  | {
      readonly kind: 'configured';
      readonly endpoint: string;
      readonly source: ConfiguredValue;
      readonly runtime: RuntimeFacts | undefined;
    }
  /** KUBELET_CONFGEN_CRI_ENDPOINT, not yet validated. */
  | { readonly kind: 'requested'; readonly endpoint: string; readonly runtime: RuntimeFacts | undefined }
  | { readonly kind: 'detected'; readonly runtime: RuntimeFacts }
  | { readonly kind: 'ambiguous'; readonly runtimes: readonly RuntimeFacts[] }
  | { readonly kind: 'none'; readonly disabled: readonly RuntimeFacts[]; readonly docker: boolean };

/**
 * Detects the runtime when exactly one has a socket. When no runtime has a socket (an image, a stopped service), the
 * only installed one is detected.
 */
export function chooseRuntime(context: RuleContext): RuntimeChoice {
  const { facts, kubelet } = context;
  const dockershim = kubelet.dockershim === true ? (kubelet.defaultEndpoint ?? '') : undefined;
  const source = configuredValue(facts, 'container-runtime-endpoint', 'containerRuntimeEndpoint');
  if (source !== undefined) {
    const endpoint = withScheme(source.value);
    return { kind: 'configured', endpoint, source, runtime: runtimeAt(facts, source.value, dockershim) };
  }
  const requested = facts.settings.criEndpoint;
  if (requested !== undefined && requested !== '') {
    const endpoint = withScheme(requested);
    return { kind: 'requested', endpoint, runtime: runtimeAt(facts, endpoint, dockershim) };
  }
  // Before 1.24, kubeadm flags without an endpoint mean Docker.
  const docker = facts.runtimes.find(({ name }) => name === 'docker');
  if (dockershim !== undefined && docker !== undefined && facts.kubelet.kubeadmArgs.flags.length > 0) {
    return { kind: 'detected', runtime: docker };
  }
  return detect(context);
}

function detect({ facts, kubelet }: RuleContext): RuntimeChoice {
  const supported = facts.runtimes.filter(({ name }) => name !== 'docker' || kubelet.dockershim === true);
  const found = usableRuntimes(facts.runtimes, kubelet.dockershim === true);
  const [first, second] = found;
  if (second !== undefined) return { kind: 'ambiguous', runtimes: found };
  if (first !== undefined) return { kind: 'detected', runtime: first };
  return {
    kind: 'none',
    disabled: supported.filter(({ criDisabled }) => criDisabled),
    docker: facts.runtimes.some(({ name }) => name === 'docker'),
  };
}

/** The running runtimes that the kubelet can use; if none is running, the installed ones. */
export function usableRuntimes(runtimes: readonly RuntimeFacts[], dockershim: boolean): readonly RuntimeFacts[] {
  const usable = runtimes.filter(({ name, criDisabled }) => !criDisabled && (name !== 'docker' || dockershim));
  const running = usable.filter(({ socket }) => socket);
  return running.length > 0 ? running : usable;
}

/**
 * The runtime with an endpoint.
 *
 * @param dockershim the endpoint of the kubelet's dockershim, which is Docker; undefined without a dockershim
 */
export function runtimeAt(
  { runtimes }: Facts,
  endpoint: string,
  dockershim: string | undefined,
): RuntimeFacts | undefined {
  if (dockershim !== undefined && isSameEndpoint(endpoint, dockershim)) {
    return runtimes.find(({ name }) => name === 'docker');
  }
  return runtimes.find((each) => isSameEndpoint(each.endpoint, endpoint));
}

/** Whether an endpoint needs no quoting in an env file, in YAML and on a command line. */
export function isEndpoint(text: string): boolean {
  return text.length <= 200 && /^unix:\/\/(\/[A-Za-z0-9._@+-]+)+$/.test(text) && !/\/\.{1,2}(\/|$)/.test(text);
}

/** Adds `unix://` to a path. */
export function withScheme(endpoint: string): string {
  return endpoint.charAt(0) === '/' ? `unix://${endpoint}` : endpoint;
}

/** Compares endpoints with and without a scheme; /var/run is a link to /run. */
export function isSameEndpoint(a: string, b: string): boolean {
  const [first, second] = [a, b].map((each) => withScheme(each).replace(/^unix:\/+var\/run\//, 'unix:///run/'));
  return first === second;
}
