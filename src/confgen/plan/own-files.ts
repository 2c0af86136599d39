import type { FileChange } from '../model/finding.ts';
import { writeYaml } from '../text/yaml-write.ts';
import type { Setting } from './situation.ts';

/** Read by the drop-in 05-kubelet-confgen.conf. */
export const ENVIRONMENT_FILE = '/var/lib/kubelet-confgen/kubelet.env';
/** Sorts early, so that an administrator's files win (KEP-3983: the last one does). */
export const CONFIG_FILE = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';
export const CRICTL_FILE = '/etc/crictl.yaml';

/** What 10-kubeadm.conf has in KUBELET_CONFIG_ARGS, which the env file replaces. */
const KUBEADM_CONFIG = '--config=/var/lib/kubelet/config.yaml';

const HEADER = `# Written by kubelet-confgen, which writes it again when the host changes. An edited file is left alone.
# kubelet-confgen explain says why; kubelet-confgen(8) says how to override a value and how to switch it off.
`;

/**
 * The generator's files for the kubelet.
 *
 * @param directory of --config-dir; undefined: all settings are flags
 * @returns a write for each file that is wanted, a removal for each that is not; in the order in which nothing names a
 * file that is not there
 */
export function ownFiles(settings: readonly Setting[], directory: string | undefined): FileChange[] {
  const flags = settings.filter(({ field }) => directory === undefined || field === undefined);
  const fields = settings.filter(({ field }) => directory !== undefined && field !== undefined);
  const words = [
    ...(directory === undefined ? [] : [`--config-dir=${directory}`]),
    ...flags.map(({ flag, value }) => `--${flag}=${value}`),
  ];
  const environment: FileChange =
    words.length === 0
      ? { kind: 'remove', path: ENVIRONMENT_FILE, reason: 'this kubelet needs no flags of its host' }
      : {
          kind: 'write',
          path: ENVIRONMENT_FILE,
          mode: 0o644,
          text: `${HEADER}KUBELET_CONFIG_ARGS="${[KUBEADM_CONFIG, ...words].join(' ')}"\n`,
          reason: `the kubelet is started with ${words.join(' ')}`,
        };
  if (directory === undefined) {
    return [environment, { kind: 'remove', path: CONFIG_FILE, reason: 'this kubelet does not read it' }];
  }
  return [configuration(fields), environment];
}

/** Without a setting too: the kubelet does not start when --config-dir names a directory that is not there. */
function configuration(settings: readonly Setting[]): FileChange {
  const found = (name: Setting['field']) => settings.find(({ field }) => field === name)?.value;
  const names = settings.map(({ field }) => field).sort();
  return {
    kind: 'write',
    path: CONFIG_FILE,
    mode: 0o644,
    text: `${HEADER}${writeYaml({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      cgroupDriver: found('cgroupDriver'),
      containerRuntimeEndpoint: found('containerRuntimeEndpoint'),
      resolvConf: found('resolvConf'),
    })}`,
    reason:
      names.length === 0
        ? 'the directory of --config-dir must be there, with nothing to set for this host'
        : `settings of this host: ${names.join(', ')}`,
  };
}

/** crictl's configuration for an endpoint. */
export function crictlFile(endpoint: string): FileChange {
  return {
    kind: 'write',
    path: CRICTL_FILE,
    mode: 0o644,
    text: `${HEADER}${writeYaml({ 'runtime-endpoint': endpoint, 'image-endpoint': endpoint })}`,
    reason: `crictl talks to ${endpoint}`,
  };
}
