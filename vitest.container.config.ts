import { defineConfig } from 'vitest/config';

/** The tests in containers: a file at a time, since each runs several containers at once. Run: npm run test:containers */
export default defineConfig({
  test: {
    include: ['test/container/**/*.test.ts'],
    testTimeout: 2_400_000,
    hookTimeout: 1_800_000,
    fileParallelism: false,
    maxConcurrency: 3,
  },
});
