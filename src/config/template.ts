import { stringify } from 'yaml';
import { z } from 'zod';
import { configSchema } from './schema.ts';

const EXAMPLES: Readonly<Record<keyof typeof configSchema.shape, unknown>> = {
  version: 'stable',
  packages: ['kubeadm', 'kubelet', 'kubectl', 'kubernetes-cni', 'cri-tools'],
  architectures: ['amd64', 'arm64'],
  formats: ['deb', 'rpm'],
  distributions: ['debian-12', 'el-9'],
  revision: '1',
  components: { criTools: '1.36.0', cniPlugins: '1.8.0' },
  source: 'servers',
  servers: { kubernetes: 'https://mirror.example.org/k8s' },
  digests: { 'https://mirror.example.org/crictl-v1.20.0-linux-amd64.tar.gz': '0'.repeat(64) },
  out: 'dist',
  jobs: 4,
  compression: 'zstd:19',
  restart: 'none',
  kernel: true,
  confgen: false,
  maintainer: 'Release Team <release@example.org>',
  templates: './templates',
  packaging: './packaging',
};

/** The kubeparcel.yaml that `kubeparcel init` writes: all keys with descriptions, commented out. */
export function configTemplate(): string {
  const keys = Object.entries(configSchema.shape).map(([key, schema]) => {
    const description = z.globalRegistry.get(schema.unwrap())?.description ?? '';
    const example = stringify(EXAMPLES[key as keyof typeof EXAMPLES], { collectionStyle: 'flow', lineWidth: 0 });
    return `# ${description}\n#${key}: ${example}`;
  });
  return [
    '# yaml-language-server: $schema=node_modules/kubeparcel/docs/kubeparcel.schema.json',
    '# Settings of kubeparcel. The values are examples; remove the # to set a key. Flags take precedence.',
    '',
    ...keys,
  ].join('\n');
}
