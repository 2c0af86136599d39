import type { GeneratorData } from '../model/data.ts';
import type { FlagsFile, KubeletConfigFacts, KubeletFacts } from '../model/facts.ts';
import { shown } from '../text/arguments.ts';
import { readEnvFile, readFlags, splitWords } from '../text/env-file.ts';
import { readYamlScalars, type YamlScalar, type YamlScalars } from '../text/yaml-scalars.ts';
import type { Reading } from './reading.ts';

const ENV_FILE_DEB = '/etc/default/kubelet';
const ENV_FILE_RPM = '/etc/sysconfig/kubelet';
const DROP_INS = ['/etc', '/usr/lib', '/lib'].map((root) => `${root}/systemd/system/kubelet.service.d/10-kubeadm.conf`);
const KUBEADM_FLAGS = '/var/lib/kubelet/kubeadm-flags.env';
const DPKG_STATUS = '/var/lib/dpkg/status';
/** A status of a whole desktop is about 8 MiB. */
const DPKG_STATUS_LIMIT = 32 << 20;
const MAX_FLAGS = 1000;

/** The kubelet's own files; what its flags and configurations say is kept as it is written. */
export function readKubelet(reading: Reading, data: GeneratorData): KubeletFacts {
  return {
    version: data.kubeletVersion ?? installedVersion(reading),
    extraArgs: readFlagsFile(reading, envFilePath(reading), 'KUBELET_EXTRA_ARGS'),
    kubeadmArgs: readFlagsFile(reading, KUBEADM_FLAGS, 'KUBELET_KUBEADM_ARGS'),
    config: readConfig(reading, '/var/lib/kubelet/config.yaml'),
    instanceConfig: readConfig(reading, '/var/lib/kubelet/instance-config.yaml'),
    kubeconfig: reading.kind('/etc/kubernetes/kubelet.conf') === 'file',
    bootstrapKubeconfig: reading.kind('/etc/kubernetes/bootstrap-kubelet.conf') === 'file',
  };
}

/** The env file that kubeadm's drop-in reads here, else the one that is there, else the one of the packages' kind. */
function envFilePath(reading: Reading): string {
  for (const path of DROP_INS) {
    const named = /^EnvironmentFile=-?(\/etc\/(?:default|sysconfig)\/kubelet)[ \t\r]*$/m.exec(reading.text(path) ?? '');
    if (named?.[1] !== undefined) return named[1];
  }
  const deb = reading.kind(ENV_FILE_DEB) !== 'absent';
  const rpm = reading.kind(ENV_FILE_RPM) !== 'absent';
  if (deb !== rpm) return deb ? ENV_FILE_DEB : ENV_FILE_RPM;
  return reading.kind(DPKG_STATUS) === 'file' ? ENV_FILE_DEB : ENV_FILE_RPM;
}

function readFlagsFile(reading: Reading, path: string, variable: string): FlagsFile {
  const value = readEnvFile(reading.text(path) ?? '').get(variable) ?? '';
  const { flags, strays } = readFlags(splitWords(value));
  if (strays.length > 0) {
    reading.note({
      code: 'stray-word',
      level: 'error',
      what: `${variable} has a word that belongs to no flag, and the kubelet does not start with it.`,
      evidence: [`${path}: ${strays.slice(0, 5).map(shown).join(' ')}`],
      hint: `Take it out of ${variable}, or write it as --flag=value.`,
    });
  }
  return { path, present: reading.kind(path) !== 'absent', flags: flags.slice(0, MAX_FLAGS) };
}

function readConfig(reading: Reading, path: string): KubeletConfigFacts | undefined {
  const text = reading.text(path);
  const read: YamlScalars | undefined = text === undefined ? undefined : readYamlScalars(text);
  let unclear = reading.unreadable(path);
  if (read === undefined && !unclear) return undefined;
  if (read?.kind === 'unclear') {
    unclear = true;
    noteUnclear(reading, path, `line ${read.line}: ${read.reason}`);
  }
  const value = (key: string, convert: (scalar: YamlScalar) => string | undefined): string | undefined => {
    const scalar = read?.kind === 'mapping' ? read.values.get(key) : undefined;
    if (scalar === undefined || scalar.kind === 'null') return undefined;
    const found = convert(scalar);
    if (found === undefined) {
      unclear = true;
      noteUnclear(reading, path, `${key}: its value is not of the kind that it must be`);
    }
    return found;
  };
  const flag = (key: string): boolean | undefined => {
    const found = value(key, booleanOf);
    return found === undefined ? undefined : found === 'true';
  };
  const facts = {
    path,
    resolvConf: value('resolvConf', stringOf),
    cgroupDriver: value('cgroupDriver', stringOf),
    containerRuntimeEndpoint: value('containerRuntimeEndpoint', stringOf),
    failSwapOn: flag('failSwapOn'),
    failCgroupV1: flag('failCgroupV1'),
  };
  return unclear ? { ...facts, unclear } : facts;
}

function noteUnclear(reading: Reading, path: string, why: string): void {
  reading.note({
    code: 'unclear-config',
    level: 'warning',
    what: `${path} is written in a way that is not understood here, so its settings are not known.`,
    evidence: [`${path}: ${shown(why)}`],
    hint: `Write the top level of ${path} as plain \`key: value\` lines.`,
  });
}

/** Plain words that YAML takes for something else are no strings. */
function stringOf(scalar: YamlScalar): string | undefined {
  if (scalar.kind === 'quoted') return scalar.text;
  if (scalar.kind !== 'plain' || /^(true|false|yes|no|on|off|y|n)$/i.test(scalar.text)) return undefined;
  return /^[A-Za-z/][\w/.:@%+=~-]*$/.test(scalar.text) ? scalar.text : undefined;
}

function booleanOf(scalar: YamlScalar): string | undefined {
  if (scalar.kind !== 'plain' || !/^(true|True|TRUE|false|False|FALSE)$/.test(scalar.text)) return undefined;
  return scalar.text.toLowerCase();
}

/** What dpkg has installed, deb822's `Version` without epoch and revision; rpm's database is not read. */
function installedVersion(reading: Reading): string | undefined {
  if (reading.kind(DPKG_STATUS) !== 'file') return undefined;
  const text = `\n${reading.text(DPKG_STATUS, DPKG_STATUS_LIMIT) ?? ''}`;
  const start = text.indexOf('\nPackage: kubelet\n');
  if (start === -1) return undefined;
  const end = text.indexOf('\n\n', start + 1);
  const stanza = text.slice(start, end === -1 ? text.length : end);
  if (!/^Status: \S+ \S+ installed$/m.test(stanza)) return undefined;
  const version = /^Version: (?:\d+:)?([0-9][0-9A-Za-z.+~]*)/m.exec(stanza)?.[1];
  return version?.replace('~', '-').slice(0, 64);
}
