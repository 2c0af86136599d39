import { firstInScript, inFile, inScript, without, withoutScript } from '../mutations.ts';
import type { Fault } from './fault.ts';

const OWN_DROP_IN = '/usr/lib/systemd/system/kubelet.service.d/05-kubelet-confgen.conf';
const GENERATOR = '/usr/libexec/kubernetes/kubelet-confgen';

export const HOOK_FAULTS: readonly Fault[] = [
  {
    name: 'the hook does not enable the unit',
    host: 'debian-12',
    scenario: 'install-all',
    broken: { kubelet: inScript('postinst', /^ {8}enable_kubelet .*$/m, '        :') },
    noticed: /check unit kubelet.*\n.*enabled/,
  },
  {
    name: 'the hook enables the unit against the presets',
    host: 'dnf-on-debian-12',
    scenario: 'service-preset',
    broken: { kubelet: firstInScript('posttrans', 'systemctl enable kubelet.service') },
    noticed: /check unit kubelet.*\n.*enabled.*disabled/,
  },
  {
    name: 'no hook reloads systemd',
    host: 'debian-12',
    scenario: 'service-removal',
    broken: {
      kubelet: inScript('postrm', /systemctl --system daemon-reload/, 'true'),
      kubeadm: inScript('postrm', /systemctl --system daemon-reload/, 'true'),
    },
    noticed: /check unit kubelet.*\n/,
  },
  {
    name: 'the kubelet is not stopped before it is removed',
    host: 'debian-12',
    scenario: 'service-removal',
    broken: { kubelet: withoutScript('prerm') },
    noticed: /check unit kubelet.*\n.*active/,
  },
  {
    name: 'the kubelet is not stopped before it is removed, as an RPM',
    host: 'zypper-on-debian-12',
    scenario: 'service-removal',
    broken: { kubelet: withoutScript('preun') },
    noticed: /check unit kubelet.*\n.*active/,
  },
  {
    name: 'links of an enabled unit stay after a purge',
    host: 'debian-13',
    scenario: 'service-removal',
    broken: { kubelet: inScript('postrm', /^ {12}quietly deb-systemd-helper .*\n/gm, '            :\n') },
    noticed: 'check file /etc/systemd/system/multi-user.target.wants/kubelet.service',
  },
  {
    name: 'the hook unmasks a unit that an administrator masked',
    host: 'debian-12',
    scenario: 'service-configured',
    broken: { kubelet: firstInScript('postinst', 'systemctl unmask kubelet.service >/dev/null 2>&1 || :') },
    noticed: /check unit kubelet.*\n.*masked/,
  },
  {
    name: 'the hook starts a disabled kubelet',
    host: 'debian-11',
    scenario: 'service-configured',
    broken: { kubelet: inScript('postinst', /^ {12}after_upgrade$/m, '            systemctl start kubelet') },
    noticed: /check unit kubelet.*\n.*active/,
  },
  {
    name: 'the hook does not start a configured kubelet',
    host: 'debian-12',
    scenario: 'service-configured',
    broken: { kubelet: inScript('postinst', /deb-systemd-invoke start kubelet.service/, 'true') },
    noticed: /check unit kubelet.*\n.*active/,
  },
];

export const GENERATOR_FAULTS: readonly Fault[] = [
  {
    name: 'the hook does not run the generator',
    host: 'debian-12',
    scenario: 'conditions-umask',
    broken: { kubelet: inScript('postinst', 'generate apply', ':') },
    noticed: '/etc/kubernetes/kubelet.conf.d: expected present',
  },
  {
    name: 'the generator is not in the package',
    host: 'dnf-on-debian-12',
    scenario: 'generator-cgroup-driver',
    broken: { kubelet: without(GENERATOR) },
    noticed: 'check file /etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf',
  },
  {
    name: 'a failing generator prevents the kubelet from starting',
    host: 'debian-12',
    scenario: 'generator-own-settings',
    broken: { kubelet: inFile(OWN_DROP_IN, 'ExecStartPre=-', 'ExecStartPre=') },
    noticed: 'run systemctl restart kubelet',
  },
  {
    name: 'the generator does not run before each start',
    host: 'debian-12',
    scenario: 'generator-runtime-later',
    broken: { kubelet: inFile(OWN_DROP_IN, /^ExecStartPre=.*\n/m, '') },
    noticed: 'expected contains "no container runtime was found"',
  },
  {
    name: "the drop-in reads the generator's flags from a wrong path",
    host: 'debian-12',
    scenario: 'generator-cgroup-driver',
    broken: { kubelet: inFile(OWN_DROP_IN, '/var/lib/kubelet-confgen/', '/var/lib/kubelet/') },
    noticed: /check process kubelet.*\n.*last arguments/,
  },
  {
    name: "a hook writes its own guess over an administrator's crictl.yaml",
    host: 'debian-12',
    scenario: 'generator-resolved',
    broken: {
      'cri-tools': firstInScript('postinst', "echo 'runtime-endpoint: unix:///run/crio/crio.sock' >/etc/crictl.yaml"),
    },
    noticed: "the administrator's crictl.yaml is unchanged",
  },
  {
    name: 'a hook chooses one of two runtimes',
    host: 'dnf-on-debian-12',
    scenario: 'generator-two-runtimes',
    broken: {
      'cri-tools': firstInScript(
        'post',
        "echo 'runtime-endpoint: unix:///run/containerd/containerd.sock' >/etc/crictl.yaml",
      ),
    },
    noticed: 'check file /etc/crictl.yaml',
  },
];
