import { readFacts } from '../facts/read-facts.ts';
import type { Host, Output } from '../host/host.ts';
import { CONFIG_FLAGS, configRequest } from '../kubeadm/config-request.ts';
import { kubeadmDocuments } from '../kubeadm/documents.ts';
import { RequestError, readArguments } from '../kubeadm/node-request.ts';
import type { GeneratorData } from '../model/data.ts';
import { COMMON_FLAGS, flagHelp, sanitize } from '../text/arguments.ts';
import { writeJson, writeYamlDocuments } from '../text/yaml-write.ts';

const HELP = `kubelet-confgen kubeadm-config --kind init|join: print a configuration for kubeadm init or join

The configuration matches this host and uses the newest API version that the installed kubeadm supports.

`;

/**
 * Runs `kubelet-confgen kubeadm-config`: prints YAML documents for kubeadm, or a List of them with `--output json`.
 *
 * @param argv arguments after `kubeadm-config`
 * @returns 0, or 2 with a message on standard error for invalid arguments
 */
export function kubeadmConfigCommand(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const { words, values, error } = readArguments(argv, CONFIG_FLAGS);
  if (values.help !== undefined) {
    output.out(HELP + flagHelp([...CONFIG_FLAGS, ...COMMON_FLAGS]));
    return 0;
  }
  try {
    if (error !== undefined) throw new RequestError(error);
    if (words.length > 0) throw new RequestError(`unexpected argument ${sanitize(words[0] ?? '')}`);
    const request = configRequest(values, readFacts(host, data), data);
    const { node, api, kubeletExtraArgs } = request;
    const documents = kubeadmDocuments(request);
    output.out(
      values.output === 'json'
        ? writeJson({ apiVersion: 'v1', kind: 'List', items: documents })
        : writeYamlDocuments(documents),
    );
    const notes = [...node.notes];
    if (node.criSocket === undefined) notes.push('no container runtime was found on this host; kubeadm detects it');
    if (api === 'v1alpha1' && Object.keys(kubeletExtraArgs).length > 0) {
      const flags = Object.keys(kubeletExtraArgs).map((name) => `--${name}=${kubeletExtraArgs[name]}`);
      notes.push(`v1alpha1 cannot contain kubelet flags; set KUBELET_EXTRA_ARGS=${flags.join(' ')}`);
    }
    for (const note of notes) output.err(`kubelet-confgen: ${note}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    output.err(`kubelet-confgen: ${error.message}\nsee kubelet-confgen kubeadm-config --help\n`);
    return 2;
  }
}
