import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import { readFacts } from '../../../src/confgen/facts/read-facts.ts';
import { nodeHost } from '../../../src/confgen/host/node-host.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { layOutVector, loadVectors, vectorHost } from '../../support/vectors.ts';

it('hosts in test/vectors have the same facts in memory and in a directory', async () => {
  const directory = temporaryDirectory();
  const catalog = await loadCatalog();
  for (const vector of loadVectors()) {
    const root = join(directory, vector.name.slice(0, 40));
    const close = await layOutVector(vector, root);
    const data = generatorData(catalog, vector.kubelet);
    const facts = readFacts(nodeHost(root), data);
    await close();
    const { findings, ...rest } = readFacts(vectorHost(vector), data);
    // Adapters may give different reasons.
    const codes = findings.map(({ code }) => code);
    expect({ ...facts, name: vector.name, findings: facts.findings.map(({ code }) => code) }).toEqual({
      ...rest,
      name: vector.name,
      findings: codes,
    });
  }
});
