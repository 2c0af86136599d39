/**
 * What texts of a scenario may name in braces; the host's facts and the packages under test give the values.
 * `{version@previous-minor}` is another set's, `{package-version:cri-tools}` another package's, `{file:kubelet}` a file.
 */
export const PLACEHOLDERS = {
  host: 'debian-12, dnf-12: the host that the scenario runs on',
  format: 'deb or rpm',
  manager: 'apt, dnf or zypper',
  architecture: "amd64: in Kubernetes' words",
  'package-architecture': "amd64, x86_64: in the package format's words",
  'env-file': '/etc/default/kubelet, /etc/sysconfig/kubelet',
  units: '/usr/lib/systemd/system',
  'drop-ins': 'the directory that kubelet.service.d of kubeadm is in, for the version under test',
  'drop-in': 'the path of 10-kubeadm.conf',
  libexec: '/usr/libexec',
  version: "1.36.4: Kubernetes' own; {version@previous-patch}: that of another set",
  minor: '1.36; {minor@previous-minor}: that of another set',
  'package-version':
    "1.36.4-1: as dpkg or rpm print the kubelet's; {package-version:cri-tools@previous-minor}: of another package and set",
  file: 'the package file in the container: {file:kubelet}, {file:kubelet@previous-minor}',
  'control-plane':
    'the directory in the container that holds etcd, kube-apiserver, kube-controller-manager; such a scenario is left out without it',
  packages: 'the directory of a set in the container: {packages}, {packages@previous-minor}',
} as const;
export type PlaceholderName = keyof typeof PLACEHOLDERS;

/** One use of a placeholder. */
export interface Placeholder {
  readonly name: string;
  /** Behind `:`. */
  readonly package: string | undefined;
  /** Behind `@`. */
  readonly set: string | undefined;
}

/** `${x}` is a shell's and `%{x}` rpm's own; both stay as they are, as does what is no word in braces. */
const PATTERN = /(?<![$%{])\{([a-z][a-z-]*)(?::([a-z][a-z-]*))?(?:@([a-z][a-z-]*))?\}(?!\})/g;

/** The placeholders of a text, in its order. */
export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(PATTERN)].map(([, name = '', packageName, set]) => ({ name, package: packageName, set }));
}

/** The text with every placeholder's value in its place. */
export function fillPlaceholders(text: string, valueFor: (placeholder: Placeholder) => string): string {
  return text.replace(PATTERN, (_, name: string, packageName: string | undefined, set: string | undefined) =>
    valueFor({ name, package: packageName, set }),
  );
}

/** Every text of a value: of its members and theirs, but not the names of members. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsOf);
  return [];
}

/** The same value with every text, but the names of members, replaced. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  return mapped(value, change) as T;
}

function mapped(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapped(item, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapped(item, change)]));
  }
  return value;
}
