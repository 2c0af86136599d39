/**
 * Placeholders in the texts of scenarios. Their values come from the host and the packages under test.
 * `{version@previous-minor}` refers to another set, `{package-version:cri-tools}` to another package.
 */
export const PLACEHOLDERS = {
  host: 'debian-12, dnf-12: the host that the scenario runs on',
  format: 'deb or rpm',
  manager: 'apt, dnf or zypper',
  architecture: 'amd64: the name in Kubernetes',
  'package-architecture': 'amd64, x86_64: the name in the package format',
  'env-file': '/etc/default/kubelet, /etc/sysconfig/kubelet',
  units: '/usr/lib/systemd/system',
  'drop-ins': 'the directory that contains kubelet.service.d of kubeadm',
  'drop-in': 'the path of 10-kubeadm.conf',
  libexec: '/usr/libexec',
  version: '1.36.4: the Kubernetes version; {version@previous-patch} for another set',
  minor: '1.36; {minor@previous-minor} for another set',
  'package-version':
    '1.36.4-1: the version of the kubelet package; {package-version:cri-tools@previous-minor} for another package and set',
  file: 'the package file in the container: {file:kubelet}, {file:kubelet@previous-minor}',
  'control-plane':
    'the directory with etcd, kube-apiserver and kube-controller-manager; without it the scenario is skipped',
  packages: 'the directory with the package files: {packages}, {packages@previous-minor}',
} as const;
export type PlaceholderName = keyof typeof PLACEHOLDERS;

/** One use of a placeholder. */
export interface Placeholder {
  readonly name: string;
  /** After `:`. */
  readonly package: string | undefined;
  /** After `@`. */
  readonly set: string | undefined;
}

/** `${x}` (shell) and `%{x}` (rpm) are not placeholders, nor are braces around other text. */
const PATTERN = /(?<![$%{])\{([a-z][a-z-]*)(?::([a-z][a-z-]*))?(?:@([a-z][a-z-]*))?\}(?!\})/g;

/** The placeholders of a text, in order. */
export function placeholdersOf(text: string): Placeholder[] {
  return [...text.matchAll(PATTERN)].map(([, name = '', packageName, set]) => ({ name, package: packageName, set }));
}

/** Replaces all placeholders with their values. */
export function fillPlaceholders(text: string, valueFor: (placeholder: Placeholder) => string): string {
  return text.replace(PATTERN, (_, name: string, packageName: string | undefined, set: string | undefined) =>
    valueFor({ name, package: packageName, set }),
  );
}

/** All strings in a value, recursively, without keys. */
export function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(textsOf);
  return [];
}

/** Replaces all strings in a value, recursively, except keys. */
export function mapTexts<T>(value: T, change: (text: string) => string): T {
  return mapStrings(value, change) as T;
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapStrings(item, change)]));
  }
  return value;
}
