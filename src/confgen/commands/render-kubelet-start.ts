import { readFacts } from '../facts/read-facts.ts';
import type { Host, Output } from '../host/host.ts';
import { configMapObjects, type StartFile, startFiles } from '../kubeadm/kubelet-start.ts';
import { NODE_FLAGS, nodeRequest, RequestError, readArguments } from '../kubeadm/node-request.ts';
import type { GeneratorData } from '../model/data.ts';
import { COMMON_FLAGS, type Flag, flagHelp, sanitize } from '../text/arguments.ts';
import { writeJson, writeYaml, writeYamlDocuments } from '../text/yaml-write.ts';

const FLAGS: readonly Flag[] = [
  { name: 'flow', value: 'FLOW', choices: ['init', 'join'], help: 'kubeadm command that writes the files' },
  ...NODE_FLAGS,
  { name: 'cluster-domain', value: 'DOMAIN', help: 'DNS domain of services; default: cluster.local' },
  { name: 'configmap', help: "include the cluster's ConfigMap with its Role and RoleBinding" },
  { name: 'out', value: 'DIRECTORY', help: 'write the files below DIRECTORY instead of printing them' },
];

const HELP = `kubelet-confgen render kubelet-start --flow init|join: print the files of kubeadm init phase kubelet-start

For image builds and for clusters without kubeadm.

`;

/**
 * Runs `kubelet-confgen render kubelet-start`: prints all files as text, or as JSON or YAML with `files` and `objects`;
 * with `--out`, writes the files.
 *
 * @param argv arguments after `render`
 * @returns 0; 2 for invalid arguments; 4 when a file cannot be written
 */
export function renderCommand(argv: readonly string[], host: Host, output: Output, data: GeneratorData): number {
  const { words, values, error } = readArguments(argv, FLAGS);
  if (values.help !== undefined) {
    output.out(HELP + flagHelp([...FLAGS, ...COMMON_FLAGS]));
    return 0;
  }
  try {
    if (error !== undefined) throw new RequestError(error);
    if (words.length !== 1 || words[0] !== 'kubelet-start') {
      throw new RequestError(`unexpected argument ${sanitize(words.join(' '))}; expected kubelet-start`);
    }
    const { flow, out } = values;
    if (flow === undefined) throw new RequestError('missing flag --flow init or --flow join');
    if (flow === 'join' && values.configmap !== undefined) {
      throw new RequestError('--configmap needs --flow init; a joining node only reads the ConfigMap');
    }
    if (out !== undefined && (out.charAt(0) !== '/' || out.split('/').includes('..'))) {
      throw new RequestError(`invalid --out ${sanitize(out)}; expected an absolute path without ..`);
    }
    const node = nodeRequest(values, readFacts(host, data), data);
    if (node.criSocket === undefined) {
      throw new RequestError('no container runtime was found on this host; use --cri-socket');
    }
    const domain = requestedDomain(values['cluster-domain'] ?? 'cluster.local');
    const files = startFiles(node, node.criSocket, domain, data);
    const objects = values.configmap === undefined ? [] : configMapObjects(node, domain, data);
    for (const note of node.notes) output.err(`kubelet-confgen: ${note}\n`);
    if (out !== undefined) {
      const manifest = { path: '/kubelet-config.yaml', mode: 0o644, text: writeYamlDocuments(objects) };
      return writeFiles(objects.length === 0 ? files : [...files, manifest], out, host, output);
    }
    if (values.output === 'json' || values.output === 'yaml') {
      const plain = { files: files.map((file) => ({ ...file, mode: octal(file.mode) })), objects };
      output.out(values.output === 'json' ? writeJson(plain) : writeYaml(plain));
      return 0;
    }
    for (const { path, mode, text } of files) output.out(`==> ${path} (${octal(mode)})\n${text}\n`);
    if (objects.length > 0) output.out(`==> objects for kubectl apply\n${writeYamlDocuments(objects)}`);
    return 0;
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    output.err(`kubelet-confgen: ${error.message}\nsee kubelet-confgen render --help\n`);
    return 2;
  }
}

function requestedDomain(text: string): string {
  if (text.length > 253 || !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text)) {
    throw new RequestError(`invalid --cluster-domain ${sanitize(text)}; expected a DNS name such as cluster.local`);
  }
  return text;
}

function writeFiles(files: readonly StartFile[], out: string, host: Host, output: Output): number {
  const directory = out.replace(/\/+$/, '');
  for (const { path, mode, text } of files) {
    try {
      host.write(`${directory}${path}`, text, mode);
    } catch (error) {
      output.err(`kubelet-confgen: ${sanitize(error instanceof Error ? error.message : String(error))}\n`);
      return 4;
    }
    output.out(`wrote ${sanitize(`${directory}${path}`)}\n`);
  }
  return 0;
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}
