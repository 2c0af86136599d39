import type { GeneratorData } from '../model/data.ts';
import type { FlagsFile, KubeletConfigFacts, KubeletFacts } from '../model/facts.ts';
import { sanitize } from '../text/arguments.ts';
import { readEnvFile, readFlags, splitWords } from '../text/env-file.ts';
import { readYamlScalars, type YamlScalar } from '../text/yaml-scalars.ts';
import type { HostReader } from './host-reader.ts';

const ENV_FILE_DEB = '/etc/default/kubelet';
const ENV_FILE_RPM = '/etc/sysconfig/kubelet';
const DROP_INS = ['/etc', '/usr/lib', '/lib'].map((root) => `${root}/systemd/system/kubelet.service.d/10-kubeadm.conf`);
const KUBEADM_FLAGS = '/var/lib/kubelet/kubeadm-flags.env';
const DPKG_STATUS = '/var/lib/dpkg/status';
/** The status file of a desktop is about 8 MiB. */
const DPKG_STATUS_LIMIT = 32 << 20;
const MAX_FLAGS = 1000;

/** The kubelet's files. Values are not interpreted. */
export function readKubelet(reader: HostReader, data: GeneratorData): KubeletFacts {
  return {
    version: data.kubeletVersion ?? installedVersion(reader),
    extraArgs: readFlagsFile(reader, envFilePath(reader), 'KUBELET_EXTRA_ARGS'),
    kubeadmArgs: readFlagsFile(reader, KUBEADM_FLAGS, 'KUBELET_KUBEADM_ARGS'),
    config: readConfig(reader, '/var/lib/kubelet/config.yaml'),
    instanceConfig: readConfig(reader, '/var/lib/kubelet/instance-config.yaml'),
    kubeconfig: reader.kind('/etc/kubernetes/kubelet.conf') === 'file',
    bootstrapKubeconfig: reader.kind('/etc/kubernetes/bootstrap-kubelet.conf') === 'file',
  };
}

/** The env file in kubeadm's drop-in, else the existing one, else the one of the host's package format. */
function envFilePath(reader: HostReader): string {
  for (const path of DROP_INS) {
    const found = /^EnvironmentFile=-?(\/etc\/(?:default|sysconfig)\/kubelet)[ \t\r]*$/m.exec(reader.text(path) ?? '');
    if (found?.[1] !== undefined) return found[1];
  }
  const deb = reader.kind(ENV_FILE_DEB) !== 'absent';
  const rpm = reader.kind(ENV_FILE_RPM) !== 'absent';
  if (deb !== rpm) return deb ? ENV_FILE_DEB : ENV_FILE_RPM;
  return reader.kind(DPKG_STATUS) === 'file' ? ENV_FILE_DEB : ENV_FILE_RPM;
}

function readFlagsFile(reader: HostReader, path: string, variable: string): FlagsFile {
  const value = readEnvFile(reader.text(path) ?? '').get(variable) ?? '';
  const { flags, strays } = readFlags(splitWords(value));
  if (strays.length > 0) {
    reader.report({
      code: 'stray-word',
      level: 'error',
      what: `${variable} contains a word that is not part of a flag; the kubelet does not start`,
      evidence: [
        `${path}: ${strays
          .slice(0, 5)
          .map((word) => sanitize(word))
          .join(' ')}`,
      ],
      hint: `remove it from ${variable}, or write it as --flag=value`,
    });
  }
  return { path, present: reader.kind(path) !== 'absent', flags: flags.slice(0, MAX_FLAGS) };
}

function readConfig(reader: HostReader, path: string): KubeletConfigFacts | undefined {
  const text = reader.text(path);
  let unclear = reader.isUnreadable(path);
  if (text === undefined && !unclear) return undefined;
  const yaml = text === undefined ? undefined : readYamlScalars(text);
  const reportUnclear = (reason: string) => {
    unclear = true;
    reader.report({
      code: 'unclear-config',
      level: 'warning',
      what: `kubelet-confgen cannot parse ${path}, so its settings are not known`,
      evidence: [`${path}: ${sanitize(reason)}`],
      hint: `write the top level of ${path} as plain "key: value" lines`,
    });
  };
  if (yaml?.kind === 'unclear') reportUnclear(`line ${yaml.line}: ${yaml.reason}`);
  const value = (key: string, convert: (scalar: YamlScalar) => string | undefined): string | undefined => {
    const scalar = yaml?.kind === 'mapping' ? yaml.values.get(key) : undefined;
    if (scalar === undefined || scalar.kind === 'null') return undefined;
    const converted = convert(scalar);
    if (converted === undefined) reportUnclear(`${key}: unexpected type of value`);
    return converted;
  };
  const flag = (key: string) => {
    const text = value(key, booleanOf);
    return text === undefined ? undefined : text === 'true';
  };
  return {
    path,
    resolvConf: value('resolvConf', stringOf),
    cgroupDriver: value('cgroupDriver', stringOf),
    containerRuntimeEndpoint: value('containerRuntimeEndpoint', stringOf),
    failSwapOn: flag('failSwapOn'),
    failCgroupV1: flag('failCgroupV1'),
    unclear,
  };
}

/** Plain words that YAML reads as another type are not strings. */
function stringOf(scalar: YamlScalar): string | undefined {
  if (scalar.kind === 'quoted') return scalar.text;
  if (scalar.kind !== 'plain' || /^(true|false|yes|no|on|off|y|n)$/i.test(scalar.text)) return undefined;
  return /^[A-Za-z/][\w/.:@%+=~-]*$/.test(scalar.text) ? scalar.text : undefined;
}

function booleanOf(scalar: YamlScalar): string | undefined {
  if (scalar.kind !== 'plain' || !/^(true|True|TRUE|false|False|FALSE)$/.test(scalar.text)) return undefined;
  return scalar.text.toLowerCase();
}

/** The version in dpkg's status file (deb822), without epoch and revision. The RPM database is not read. */
function installedVersion(reader: HostReader): string | undefined {
  if (reader.kind(DPKG_STATUS) !== 'file') return undefined;
  const text = `\n${reader.text(DPKG_STATUS, DPKG_STATUS_LIMIT) ?? ''}`;
  const start = text.indexOf('\nPackage: kubelet\n');
  if (start === -1) return undefined;
  const end = text.indexOf('\n\n', start + 1);
  const stanza = text.slice(start, end === -1 ? text.length : end);
  if (!/^Status: \S+ \S+ installed$/m.test(stanza)) return undefined;
  const version = /^Version: (?:\d+:)?([0-9][0-9A-Za-z.+~]*)/m.exec(stanza)?.[1];
  return version?.replace('~', '-').slice(0, 64);
}
