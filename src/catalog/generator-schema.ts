import { z } from 'zod';
import { type GeneratorData, KUBEADM_API_VERSIONS } from '../confgen/model/data.ts';
import { boundNumbers, compareNumbers } from '../model/kubernetes-version.ts';
import { bound, coveringRanges } from './range-schema.ts';
import type { Span } from './ranges.ts';

/** The keys of versions.yaml that are embedded in kubelet-confgen; described in src/confgen/model/data.ts. */
export function generatorKeys(span: Span) {
  const topic = <Value extends z.ZodType>(value: Value) =>
    coveringRanges(z.strictObject({ since: bound, until: bound.optional(), value }), span);
  const endpoint = z
    .string()
    .regex(/^(unix:\/\/(\/[A-Za-z0-9._-]+)+)?$/, 'expected a unix:// endpoint, or an empty string');
  const kubelet = z
    .strictObject({
      settings: topic(z.enum(['flags', 'config-dir'])),
      'container-runtime-flag': topic(z.enum(['remote', 'none'])),
      dockershim: topic(z.boolean()),
      'default-endpoint': topic(endpoint),
      'endpoint-scheme': topic(z.enum(['optional', 'required'])),
      'cgroup-driver-from-runtime': topic(z.boolean()),
      'default-cgroup-driver': topic(z.enum(['cgroupfs', 'systemd'])),
      'cgroup-v1': topic(z.enum(['supported', 'maintenance', 'refused'])),
      'cgroup-v2': topic(z.enum(['unsupported', 'supported'])),
      'fails-on-swap': topic(z.boolean()),
    })
    .transform((topics): GeneratorData['kubelet'] => ({
      settings: topics.settings,
      containerRuntimeFlag: topics['container-runtime-flag'],
      dockershim: topics.dockershim,
      defaultEndpoint: topics['default-endpoint'],
      endpointScheme: topics['endpoint-scheme'],
      cgroupDriverFromRuntime: topics['cgroup-driver-from-runtime'],
      defaultCgroupDriver: topics['default-cgroup-driver'],
      cgroupV1: topics['cgroup-v1'],
      cgroupV2: topics['cgroup-v2'],
      failsOnSwap: topics['fails-on-swap'],
    }));
  const image = z.string().regex(/^[a-z0-9.-]+(\/[a-z0-9._-]+)+:[A-Za-z0-9._-]+$/, 'expected an image with its tag');
  const configMap = z
    .string()
    .regex(/^[a-z][a-z-]*(\{minor\})?$/, 'expected the name of a ConfigMap, which may contain {minor}');
  const api = z.strictObject({ version: z.enum(KUBEADM_API_VERSIONS), since: bound, until: bound.optional() });
  const kubeadm = z
    .strictObject({
      apis: z.array(api).min(1),
      'pause-image': topic(image),
      'pause-image-flag': topic(z.enum(['never', 'docker', 'always'])),
      'flags-quoted': topic(z.boolean()),
      'docker-cgroup-driver': topic(z.enum(['flag', 'config', 'ignored'])),
      'cgroup-driver': topic(z.enum(['none', 'systemd'])),
      'resolv-conf': topic(z.enum(['flag', 'config'])),
      'container-runtime-flag': topic(z.boolean()),
      'instance-config': topic(z.boolean()),
      'config-map': topic(configMap),
      'dual-stack': topic(z.enum(['unsupported', 'gate', 'supported'])),
    })
    .transform((topics): GeneratorData['kubeadm'] => ({
      apis: topics.apis,
      pauseImage: topics['pause-image'],
      pauseImageFlag: topics['pause-image-flag'],
      flagsQuoted: topics['flags-quoted'],
      dockerCgroupDriver: topics['docker-cgroup-driver'],
      cgroupDriver: topics['cgroup-driver'],
      resolvConf: topics['resolv-conf'],
      containerRuntimeFlag: topics['container-runtime-flag'],
      instanceConfig: topics['instance-config'],
      configMap: topics['config-map'],
      dualStack: topics['dual-stack'],
    }));
  const flag = z.string().regex(/^[a-z][a-z0-9-]*$/, 'a flag without its dashes');
  const removedFlags = z
    .array(z.strictObject({ flag, since: bound, instead: z.string().regex(/^[^\p{Cc}]+[^\p{Cc}.]$/u, 'one line') }))
    .superRefine((list, context) => {
      for (const [index, { flag: name, since }] of list.entries()) {
        const issue = (key: string, message: string) => {
          context.addIssue({ code: 'custom', path: [index, key], message });
        };
        if (list.findIndex((each) => each.flag === name) < index) issue('flag', `--${name} is listed twice`);
        if (outside(since, span)) issue('since', `${since} is not between ${span.oldest} and ${span.newest}`);
      }
    });
  return { kubelet, kubeadm, 'removed-flags': removedFlags };
}

function outside(since: string, { oldest, newest }: Span): boolean {
  const [, minor] = boundNumbers(since);
  return compareNumbers(boundNumbers(since), boundNumbers(oldest)) < 0 || minor > boundNumbers(newest)[1];
}
