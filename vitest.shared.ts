import { join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * The settings that all suites share: a test that reaches no assertion fails.
 * With KUBEPARCEL_TEST_RESULTS set to a directory, the results are also written there, to NAME.json; .ci/run sums them.
 */
export function suite(name: string, test: NonNullable<ViteUserConfig['test']>): ViteUserConfig {
  const results = process.env.KUBEPARCEL_TEST_RESULTS;
  return defineConfig({
    test: {
      expect: { requireAssertions: true },
      ...(results ? { reporters: ['default', ['json', { outputFile: join(results, `${name}.json`) }]] } : {}),
      ...test,
    },
  });
}
