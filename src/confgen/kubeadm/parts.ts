import type { Plain } from '../text/yaml-write.ts';
import type { ConfigRequest } from './cluster-request.ts';
import type { NodeRequest } from './request.ts';

type Fields = { readonly [key: string]: Plain | undefined };

export function kubernetesVersion({ version }: NodeRequest): string {
  return `v${version}`;
}

/** NodeRegistrationOptions, from v1alpha2 on; extraArgs are a list of names and values since v1beta4. */
export function nodeRegistration({ node, api, kubeletExtraArgs }: ConfigRequest): Fields | undefined {
  const names = Object.keys(kubeletExtraArgs).sort();
  const list = names.map((name) => ({ name, value: kubeletExtraArgs[name] }));
  const args = api === 'v1beta4' ? list : kubeletExtraArgs;
  return nonEmpty({
    criSocket: node.criSocket,
    kubeletExtraArgs: names.length === 0 ? undefined : args,
    name: node.nodeName,
  });
}

export function networking({ node, cluster }: ConfigRequest): Fields {
  const pods = cluster.kind === 'init' ? cluster.podCidrs : undefined;
  return {
    dnsDomain: 'cluster.local',
    podSubnet: pods?.map(({ text }) => text).join(','),
    serviceSubnet: node.serviceCidrs.map(({ text }) => text).join(','),
  };
}

/** A map that would be empty is left out. */
export function nonEmpty(fields: Fields): Fields | undefined {
  return Object.keys(fields).some((key) => fields[key] !== undefined) ? fields : undefined;
}
