/** What the generator knows of Kubernetes' versions: packaging/versions.yaml, embedded when a package is made. */
export type GeneratorData = Record<string, never>;
