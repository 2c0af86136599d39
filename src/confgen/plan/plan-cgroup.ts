import type { RuntimeFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import {
  type ConfiguredValue,
  configuredBoolean,
  configuredValue,
  finding,
  hasUnclearConfig,
  type RuleContext,
  type RuleResult,
} from './rule.ts';
import type { RuntimeChoice } from './runtime-choice.ts';

/** The kubelet must use the cgroup driver of its runtime, and must support the cgroup version of the host. */
export function planCgroup(context: RuleContext, choice: RuntimeChoice): RuleResult {
  const runtime = choice.kind === 'ambiguous' || choice.kind === 'none' ? undefined : choice.runtime;
  const versionFindings = cgroupVersionFindings(context);
  if (runtime === undefined) return { settings: [], findings: versionFindings };
  const { settings, findings } = planDriver(context, runtime);
  return { settings, findings: [...versionFindings, ...findings] };
}

function planDriver(context: RuleContext, runtime: RuntimeFacts): RuleResult {
  const { facts, kubelet } = context;
  const configured = configuredValue(facts, 'cgroup-driver', 'cgroupDriver');
  const driver = runtime.cgroupDriver;
  const evidence = [driverEvidence(runtime)];
  if (kubelet.cgroupDriverFromRuntime === true && runtime.reportsCgroupDriver === true) {
    const what = `the kubelet gets the cgroup driver from ${runtime.name}`;
    const found = finding('info', 'cgroup-driver-from-runtime', what, evidence);
    return { settings: [], findings: [found, ...cgroupfsFindings(context, runtime)] };
  }
  if (driver === undefined) {
    const what = `the cgroup driver of ${runtime.name} cannot be determined`;
    return { settings: [], findings: [finding('info', 'cgroup-driver-unknown', what, evidence)] };
  }
  if (configured !== undefined && configured.value !== driver) {
    return { settings: [], findings: [mismatch(runtime, configured)] };
  }
  const findings = cgroupfsFindings(context, runtime);
  if (configured !== undefined || driver === kubelet.defaultCgroupDriver) return { settings: [], findings };
  const what = `the kubelet uses the cgroup driver of ${runtime.name}, ${driver}`;
  return {
    settings: [{ flag: 'cgroup-driver', field: 'cgroupDriver', value: driver }],
    findings: [finding('info', 'cgroup-driver', what, evidence), ...findings],
  };
}

function mismatch(runtime: RuntimeFacts, { value, evidence }: ConfiguredValue): Finding {
  const docker = `"exec-opts": ["native.cgroupdriver=${value}"] in /etc/docker/daemon.json`;
  const setting: Readonly<Record<RuntimeFacts['name'], string>> = {
    containerd: `SystemdCgroup = ${value === 'systemd'} for runc in /etc/containerd/config.toml`,
    crio: `cgroup_manager = "${value}" in /etc/crio/crio.conf.d`,
    'cri-dockerd': docker,
    docker,
  };
  return finding(
    'error',
    'cgroup-driver-mismatch',
    `the kubelet is configured for the cgroup driver ${value}, but ${runtime.name} uses ${runtime.cgroupDriver}; pods do not start`,
    [evidence, driverEvidence(runtime)],
    `set ${setting[runtime.name]} and restart ${runtime.name}`,
  );
}

function cgroupfsFindings({ facts }: RuleContext, runtime: RuntimeFacts): Finding[] {
  if (!facts.cgroup.systemd || runtime.cgroupDriver !== 'cgroupfs') return [];
  return [
    finding(
      'warning',
      'cgroupfs-under-systemd',
      `${runtime.name} uses the cgroup driver cgroupfs on a host with systemd; such nodes become unstable under load`,
      [driverEvidence(runtime), '/run/systemd/system exists'],
      `drain the node, then configure ${runtime.name} to use the systemd cgroup driver`,
    ),
  ];
}

function cgroupVersionFindings({ facts, kubelet, version }: RuleContext): Finding[] {
  const { mode } = facts.cgroup;
  const evidence = [`/sys/fs/cgroup: ${mode}`, `kubelet ${version}`];
  if (mode === 'v2' && kubelet.cgroupV2 === 'unsupported') {
    const hint = 'boot with systemd.unified_cgroup_hierarchy=0, or use kubelet 1.19 or later';
    return [finding('error', 'cgroup-v2-unsupported', 'this kubelet does not support cgroup v2', evidence, hint)];
  }
  // The kubelet treats a hybrid hierarchy as v1.
  const isV1 = mode === 'v1' || mode === 'hybrid';
  if (!isV1 || kubelet.cgroupV1 === undefined || kubelet.cgroupV1 === 'supported') return [];
  const migrate = 'migrate to cgroup v2: boot without systemd.unified_cgroup_hierarchy=0';
  const fails =
    configuredBoolean(facts, 'fail-cgroupv1', 'failCgroupV1') ??
    (kubelet.cgroupV1 === 'refused' && !hasUnclearConfig(facts));
  if (!fails) {
    const what = 'cgroup v1 is deprecated in the kubelet and will be removed';
    return [finding('warning', 'cgroup-v1-deprecated', what, evidence, migrate)];
  }
  const hint = `${migrate}; until cgroup v1 is removed, failCgroupV1: false in the kubelet's configuration also works`;
  return [finding('error', 'cgroup-v1-refused', 'this kubelet does not start on cgroup v1', evidence, hint)];
}

function driverEvidence({ name, cgroupDriver, cgroupDriverSource }: RuntimeFacts): string {
  return `${name}: ${cgroupDriver ?? 'unknown'} (${cgroupDriverSource})`;
}
