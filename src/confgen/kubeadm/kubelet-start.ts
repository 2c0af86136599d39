import { type GeneratorData, topicAt } from '../model/data.ts';
import { type Plain, writeYaml } from '../text/yaml-write.ts';
import { nodeKubeletConfiguration } from './kubelet-configuration.ts';
import { minorOf, type NodeRequest, RESOLVED_RESOLV_CONF } from './node-request.ts';

/** A file that `kubeadm init phase kubelet-start` or `kubeadm join` writes on a node. */
export interface StartFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

/**
 * The kubelet's files. They are the same for both flows: `join` reads the configuration of `init` from the cluster's
 * ConfigMap.
 */
export function startFiles(
  node: NodeRequest,
  criSocket: string,
  clusterDomain: string,
  data: GeneratorData,
): readonly StartFile[] {
  const instance = topicAt(data.kubeadm.instanceConfig, node.version) === true;
  const config = nodeKubeletConfiguration(node, clusterDomain, data);
  const directory = '/var/lib/kubelet';
  const files = [
    {
      path: `${directory}/config.yaml`,
      mode: 0o644,
      text: writeYaml(sorted(instance ? { ...config, containerRuntimeEndpoint: criSocket } : config)),
    },
    { path: `${directory}/kubeadm-flags.env`, mode: 0o644, text: flagsFile(node, criSocket, data) },
  ];
  if (!instance) return files;
  // kubeadm formats it with Go's %q; a valid socket path needs no escapes.
  const text = `containerRuntimeEndpoint: "${criSocket}"\n`;
  return [...files, { path: `${directory}/instance-config.yaml`, mode: 0o644, text }];
}

/** kubeadm-flags.env (cmd/kubeadm/app/phases/kubelet/flags.go). The flags are sorted by name. */
function flagsFile(node: NodeRequest, criSocket: string, data: GeneratorData): string {
  const { version, dockershim } = node;
  const { kubeadm } = data;
  const flags: Record<string, string> = {};
  if (dockershim) {
    flags['network-plugin'] = 'cni';
    if (topicAt(kubeadm.dockerCgroupDriver, version) === 'flag' && node.cgroupDriver !== undefined) {
      flags['cgroup-driver'] = node.cgroupDriver;
    }
  } else {
    if (topicAt(kubeadm.containerRuntimeFlag, version) === true) flags['container-runtime'] = 'remote';
    if (topicAt(kubeadm.instanceConfig, version) !== true) flags['container-runtime-endpoint'] = criSocket;
  }
  const pause = topicAt(kubeadm.pauseImageFlag, version);
  if (pause === 'always' || (pause === 'docker' && dockershim)) {
    flags['pod-infra-container-image'] = topicAt(kubeadm.pauseImage, version) ?? '';
  }
  if (node.resolved && topicAt(kubeadm.resolvConf, version) === 'flag') flags['resolv-conf'] = RESOLVED_RESOLV_CONF;
  if (node.nodeName !== undefined) flags['hostname-override'] = node.nodeName;
  if (node.nodeIp !== undefined) flags['node-ip'] = node.nodeIp;
  const line = Object.keys(flags)
    .sort()
    .map((name) => `--${name}=${flags[name]}`)
    .join(' ');
  return `KUBELET_KUBEADM_ARGS=${topicAt(kubeadm.flagsQuoted, version) === true ? `"${line}"` : line}\n`;
}

const RBAC = 'rbac.authorization.k8s.io';

/** The ConfigMap for joining nodes (cmd/kubeadm/app/phases/kubelet/config.go), and the permission to read it. */
export function configMapObjects(node: NodeRequest, clusterDomain: string, data: GeneratorData): readonly Plain[] {
  const name = (topicAt(data.kubeadm.configMap, node.version) ?? '').replace('{minor}', minorOf(node.version));
  const namespace = 'kube-system';
  const role = `kubeadm:${name}`;
  const kubelet = writeYaml(sorted(nodeKubeletConfiguration(node, clusterDomain, data)));
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { kubelet } },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'Role',
      metadata: { name: role, namespace },
      rules: [{ apiGroups: [''], resourceNames: [name], resources: ['configmaps'], verbs: ['get'] }],
    },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      metadata: { name: role, namespace },
      roleRef: { apiGroup: RBAC, kind: 'Role', name: role },
      subjects: ['system:nodes', 'system:bootstrappers:kubeadm:default-node-token'].map((group) => ({
        apiGroup: RBAC,
        kind: 'Group',
        name: group,
      })),
    },
  ];
}

/** Sorts the keys, as kubeadm does. */
function sorted(fields: { readonly [key: string]: Plain | undefined }): Plain {
  const result: { [key: string]: Plain | undefined } = {};
  for (const key of Object.keys(fields).sort()) result[key] = fields[key];
  return result;
}
