import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { readFacts } from '../../../src/confgen/facts/read-facts.ts';
import type { Plan } from '../../../src/confgen/model/finding.ts';
import { makePlan } from '../../../src/confgen/plan/plan.ts';
import { readEnvFile, splitWords } from '../../../src/confgen/text/env-file.ts';
import { loadVectors, vectorHost } from '../../support/vectors.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = await loadCatalog();
});

/** The flags and settings in a plan's files, without the common ones. */
function outcome({ findings, changes }: Plan): unknown {
  const texts = changes.map((change) =>
    change.kind === 'write' ? { path: change.path, text: change.text } : undefined,
  );
  const textOf = (end: string) => texts.find((each) => each?.path.endsWith(end))?.text;
  const words = splitWords(readEnvFile(textOf('.env') ?? '').get('KUBELET_CONFIG_ARGS') ?? '');
  const config = textOf('.conf');
  const settings: unknown = config === undefined ? null : parse(config);
  return {
    findings: findings.map(({ code }) => code).sort(),
    args: words.filter((word) => word !== '--config=/var/lib/kubelet/config.yaml'),
    config: settings === null ? null : { ...(settings as object), apiVersion: undefined, kind: undefined },
  };
}

describe('hosts in test/vectors', () => {
  it.each(loadVectors().map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const host = vectorHost(vector);
    const data = generatorData(catalog, vector.kubelet);
    const facts = readFacts(host, data);
    const { facts: someFacts, ...expected } = vector.expected;
    expect(outcome(makePlan(facts, data))).toEqual(expected);
    expect(facts).toMatchObject(someFacts);
    expect(host.touched).toEqual([]);
  });
});
