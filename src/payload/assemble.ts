import type { Component } from '../model/component.ts';
import type { ComponentPayload, Payload, PayloadFile } from '../model/payload.ts';
import type { Artifact, Release } from '../release/release.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { ExaminedArtifact } from './artifact-index.ts';

interface FetchedArtifact {
  readonly artifact: Artifact;
  readonly examined: ExaminedArtifact;
}

/** The program that a component must contain. The CNI plugins are many programs, whose names are not fixed. */
const REQUIRED_PROGRAMS: Readonly<Partial<Record<Component, string>>> = {
  kubeadm: 'kubeadm',
  kubelet: 'kubelet',
  kubectl: 'kubectl',
  crictl: 'crictl',
};

/**
 * Groups the files of all artifacts by component and architecture.
 *
 * @throws KubeparcelError of kind 'format' if a component lacks its program or contains a file twice
 */
export function assemblePayload(release: Release, fetched: readonly FetchedArtifact[]): Payload {
  const groups = new Map<string, { readonly artifact: Artifact; readonly files: PayloadFile[] }>();
  for (const { artifact, examined } of fetched) {
    const key = `${artifact.component} ${artifact.architecture}`;
    const group = groups.get(key) ?? { artifact, files: [] };
    group.files.push(...examined.files);
    groups.set(key, group);
  }
  return {
    version: release.version,
    date: release.date,
    components: [...groups.values()].map(({ artifact, files }) => componentPayload(artifact, files)),
  };
}

function componentPayload(artifact: Artifact, files: readonly PayloadFile[]): ComponentPayload {
  const { component, architecture, version } = artifact;
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const duplicate = sorted.find((file, i) => sorted[i + 1]?.name === file.name);
  if (duplicate !== undefined) {
    throw new KubeparcelError('format', `${component} for ${architecture} has ${duplicate.name} twice`, {
      where: artifact.url,
    });
  }
  const program = REQUIRED_PROGRAMS[component];
  if (!sorted.some((file) => file.executable && (program === undefined || file.name === program))) {
    throw new KubeparcelError('format', `${component} for ${architecture} has no ${program ?? 'program'}`, {
      where: artifact.url,
    });
  }
  return { component, architecture, version, files: sorted };
}
