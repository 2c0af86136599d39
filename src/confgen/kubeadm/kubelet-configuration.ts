import { type GeneratorData, topicAt } from '../model/data.ts';
import type { Plain } from '../text/yaml-write.ts';
import { type NodeRequest, RESOLVED_RESOLV_CONF } from './node-request.ts';

type Fields = { readonly [key: string]: Plain | undefined };

const TYPE = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

/** Fields of the cluster's KubeletConfiguration that kubeadm does not set. */
export function clusterKubeletFields({ serviceCidrs, cgroupDriver }: NodeRequest): Fields {
  return { cgroupDriver, clusterDNS: clusterDns(serviceCidrs) };
}

/** The same fields as a document. */
export function clusterKubeletConfiguration(node: NodeRequest): Plain {
  return { ...TYPE, ...clusterKubeletFields(node) };
}

/**
 * /var/lib/kubelet/config.yaml with kubeadm's defaults (cmd/kubeadm/app/componentconfigs/kubelet.go), without the fields
 * that kubeadm sets to the kubelet's own defaults.
 */
export function nodeKubeletConfiguration(node: NodeRequest, clusterDomain: string, data: GeneratorData): Fields {
  const { version, resolved } = node;
  const docker = node.dockershim ? topicAt(data.kubeadm.dockerCgroupDriver, version) : undefined;
  const defaultDriver = topicAt(data.kubeadm.cgroupDriver, version) === 'systemd' ? 'systemd' : undefined;
  const hostDriver = docker === 'flag' ? undefined : node.cgroupDriver;
  return {
    ...TYPE,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: hostDriver ?? defaultDriver,
    clusterDNS: clusterDns(node.serviceCidrs),
    clusterDomain,
    featureGates: node.dualStack === 'gate' ? { IPv6DualStack: true } : undefined,
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    resolvConf: resolved && topicAt(data.kubeadm.resolvConf, version) === 'config' ? RESOLVED_RESOLV_CONF : undefined,
    rotateCertificates: true,
    staticPodPath: '/etc/kubernetes/manifests',
  };
}

/** From the first network only: the Service of the cluster's DNS has one address, of the first family. */
function clusterDns([first]: NodeRequest['serviceCidrs']): Plain {
  return [first.tenth];
}
