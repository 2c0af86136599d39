import type { RuntimeFacts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import type { RuntimeChoice } from './choose-runtime.ts';
import { finding, type Given, given, givenSwitch, isUnclear, type Situation, type Verdict } from './situation.ts';

/** The kubelet and its runtime must use one cgroup driver; the kernel must have cgroups that the kubelet takes. */
export function planCgroup(situation: Situation, choice: RuntimeChoice): Verdict {
  const runtime = choice.kind === 'several' || choice.kind === 'none' ? undefined : choice.runtime;
  const hierarchy = cgroupVersion(situation);
  if (runtime === undefined) return { settings: [], findings: hierarchy };
  const { settings, findings } = driver(situation, runtime);
  return { settings, findings: [...hierarchy, ...findings] };
}

function driver(situation: Situation, runtime: RuntimeFacts): Verdict {
  const { facts, kubelet } = situation;
  const set = given(facts, 'cgroup-driver', 'cgroupDriver');
  const wanted = runtime.cgroupDriver;
  if (kubelet.cgroupDriverFromRuntime === true && runtime.tellsCgroupDriver === true) {
    const what = `the kubelet asks ${runtime.name} for the cgroup driver`;
    const found = finding('info', 'cgroup-driver-from-runtime', what, [driverEvidence(runtime)]);
    return { settings: [], findings: [found, ...underSystemd(situation, runtime)] };
  }
  if (wanted === undefined) {
    const what = `the cgroup driver of ${runtime.name} is not known`;
    const found = finding('info', 'cgroup-driver-unknown', what, [driverEvidence(runtime)]);
    return { settings: [], findings: [found] };
  }
  if (set !== undefined && set.value !== wanted) {
    return { settings: [], findings: [mismatch(runtime, set)] };
  }
  const findings = underSystemd(situation, runtime);
  if (set !== undefined || wanted === kubelet.defaultCgroupDriver) return { settings: [], findings };
  const what = `the kubelet uses the cgroup driver of ${runtime.name}, ${wanted}`;
  return {
    settings: [{ flag: 'cgroup-driver', field: 'cgroupDriver', value: wanted }],
    findings: [finding('info', 'cgroup-driver', what, [driverEvidence(runtime)]), ...findings],
  };
}

function mismatch(runtime: RuntimeFacts, set: Given): Finding {
  const setting: Readonly<Record<RuntimeFacts['name'], string>> = {
    containerd: `SystemdCgroup = ${set.value === 'systemd'} for runc in /etc/containerd/config.toml`,
    crio: `cgroup_manager = "${set.value}" in /etc/crio/crio.conf.d`,
    'cri-dockerd': `"exec-opts": ["native.cgroupdriver=${set.value}"] in /etc/docker/daemon.json`,
    docker: `"exec-opts": ["native.cgroupdriver=${set.value}"] in /etc/docker/daemon.json`,
  };
  return finding(
    'error',
    'cgroup-driver-mismatch',
    `the kubelet is to use the cgroup driver ${set.value}, ${runtime.name} uses ${runtime.cgroupDriver}; pods do not start`,
    [set.evidence, driverEvidence(runtime)],
    `set ${setting[runtime.name]} and restart ${runtime.name}`,
  );
}

function underSystemd({ facts }: Situation, runtime: RuntimeFacts): Finding[] {
  if (!facts.cgroup.systemd || runtime.cgroupDriver !== 'cgroupfs') return [];
  return [
    finding(
      'warning',
      'cgroupfs-under-systemd',
      `${runtime.name} manages cgroups itself, beside systemd; under pressure, nodes become unstable`,
      [driverEvidence(runtime), '/run/systemd/system is there'],
      `configure ${runtime.name} to use the systemd cgroup driver, and drain the node before`,
    ),
  ];
}

function cgroupVersion({ facts, kubelet, version }: Situation): Finding[] {
  const { mode } = facts.cgroup;
  const evidence = [`/sys/fs/cgroup: ${mode}`, `kubelet ${version}`];
  if (mode === 'v2' && kubelet.cgroupV2 === 'unsupported') {
    const hint = 'boot with systemd.unified_cgroup_hierarchy=0, or use kubelet 1.19 or newer';
    return [finding('error', 'cgroup-v2-unsupported', 'this kubelet knows no cgroup v2', evidence, hint)];
  }
  // The kubelet counts a hybrid hierarchy as v1.
  if ((mode !== 'v1' && mode !== 'hybrid') || kubelet.cgroupV1 === undefined || kubelet.cgroupV1 === 'supported') {
    return [];
  }
  const fails =
    givenSwitch(facts, 'fail-cgroupv1', 'failCgroupV1') ?? (kubelet.cgroupV1 === 'refused' && !isUnclear(facts));
  const move = 'move to cgroup v2: boot without systemd.unified_cgroup_hierarchy=0';
  return fails
    ? [
        finding(
          'error',
          'cgroup-v1-refused',
          'this kubelet does not start on cgroup v1',
          evidence,
          `${move}; failCgroupV1: false in the kubelet's configuration lets it start until support ends`,
        ),
      ]
    : [finding('warning', 'cgroup-v1-deprecated', 'support of cgroup v1 in the kubelet ends', evidence, move)];
}

function driverEvidence({ name, cgroupDriver, cgroupDriverSource }: RuntimeFacts): string {
  return `${name}: ${cgroupDriver ?? 'unknown'} (${cgroupDriverSource})`;
}
