import { type GeneratorData, topicAt } from '../model/data.ts';
import type { Plain } from '../text/yaml-write.ts';
import { RESOLVED_RESOLV_CONF } from './cluster-request.ts';
import type { NodeRequest } from './request.ts';

type Fields = { readonly [key: string]: Plain | undefined };

const TYPE = { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' };

/** Fields of the KubeletConfiguration that goes along with a cluster's configuration: what kubeadm cannot know. */
export function clusterKubeletFields({ serviceCidrs, cgroupDriver }: NodeRequest): Fields {
  return { cgroupDriver, clusterDNS: clusterDns(serviceCidrs) };
}

/** The same as a document of its own. */
export function clusterKubeletConfiguration(node: NodeRequest): Plain {
  return { ...TYPE, ...clusterKubeletFields(node) };
}

/**
 * /var/lib/kubelet/config.yaml as kubeadm's defaults make it (cmd/kubeadm/app/componentconfigs/kubelet.go). Fields at
 * the kubelet's own defaults, which kubeadm spells out, are left out.
 */
export function nodeKubeletConfiguration(node: NodeRequest, clusterDomain: string, data: GeneratorData): Fields {
  const { version, resolved } = node;
  const docker = node.dockershim ? topicAt(data.kubeadm.dockerCgroupDriver, version) : undefined;
  const ofCluster = topicAt(data.kubeadm.cgroupDriver, version) === 'systemd' ? 'systemd' : undefined;
  const ofHost = docker === 'flag' ? undefined : node.cgroupDriver;
  return {
    ...TYPE,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: ofHost ?? ofCluster,
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

/** The first network's alone: the Service of the cluster's DNS has one address, of the first family. */
function clusterDns([first]: NodeRequest['serviceCidrs']): Plain {
  return [first.tenth];
}
