import { defineConfig } from 'vitest/config';

/** The tests on a real payload: minutes, not seconds, one after the other. */
export default defineConfig({
  test: { include: ['test/real/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 1_800_000, fileParallelism: false },
});
