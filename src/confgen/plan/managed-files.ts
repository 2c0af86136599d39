import type { FileChange } from '../model/finding.ts';
import { writeYaml } from '../text/yaml-write.ts';
import type { Setting } from './rule.ts';

/** The drop-in 05-kubelet-confgen.conf loads it. */
export const ENVIRONMENT_FILE = '/var/lib/kubelet-confgen/kubelet.env';
/** In the --config-dir directory the last file wins (KEP-3983), so an administrator's files override this one. */
export const CONFIG_FILE = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';
export const CRICTL_FILE = '/etc/crictl.yaml';

/** The value of KUBELET_CONFIG_ARGS in 10-kubeadm.conf. The env file overrides that variable. */
const KUBEADM_CONFIG = '--config=/var/lib/kubelet/config.yaml';

/** `applyPlan` recognizes the start of the first line. */
const HEADER = `# Written by kubelet-confgen and updated when the host changes. If you edit this file, it is no longer updated.
# "kubelet-confgen explain" shows the reasons. See kubelet-confgen(8) for how to override a value or disable it.
`;

/**
 * Plans the generator's files for the kubelet.
 *
 * @param directory --config-dir; undefined when all settings must be flags
 * @returns a write for each needed file and a removal for each other one, ordered so that no file refers to a missing one
 */
export function managedFiles(settings: readonly Setting[], directory: string | undefined): FileChange[] {
  const flags = settings.filter(({ field }) => directory === undefined || field === undefined);
  const fields = settings.filter(({ field }) => directory !== undefined && field !== undefined);
  const args = flags.map(({ flag, value }) => `--${flag}=${value}`);
  if (directory !== undefined) args.unshift(`--config-dir=${directory}`);
  const environment: FileChange =
    args.length === 0
      ? { kind: 'remove', path: ENVIRONMENT_FILE, reason: 'this kubelet needs no flags for this host' }
      : {
          kind: 'write',
          path: ENVIRONMENT_FILE,
          mode: 0o644,
          text: `${HEADER}KUBELET_CONFIG_ARGS="${[KUBEADM_CONFIG, ...args].join(' ')}"\n`,
          reason: `flags for this host: ${args.join(' ')}`,
        };
  if (directory === undefined) {
    return [environment, { kind: 'remove', path: CONFIG_FILE, reason: 'this kubelet does not read it' }];
  }
  return [configuration(fields), environment];
}

/** Written even without settings: the kubelet does not start when the --config-dir directory is missing. */
function configuration(settings: readonly Setting[]): FileChange {
  const valueFor = (name: Setting['field']) => settings.find(({ field }) => field === name)?.value;
  const names = settings.map(({ field }) => field).sort();
  return {
    kind: 'write',
    path: CONFIG_FILE,
    mode: 0o644,
    text: `${HEADER}${writeYaml({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: valueFor('cgroupDriver'),
      containerRuntimeEndpoint: valueFor('containerRuntimeEndpoint'),
      resolvConf: valueFor('resolvConf'),
    })}`,
    reason:
      names.length === 0
        ? 'no settings are needed, but the --config-dir directory must exist'
        : `settings for this host: ${names.join(', ')}`,
  };
}

/** crictl's configuration for an endpoint. */
export function crictlFile(endpoint: string): FileChange {
  return {
    kind: 'write',
    path: CRICTL_FILE,
    mode: 0o644,
    text: `${HEADER}${writeYaml({ 'runtime-endpoint': endpoint, 'image-endpoint': endpoint })}`,
    reason: `crictl uses ${endpoint}`,
  };
}
