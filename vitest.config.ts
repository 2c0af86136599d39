import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,format,e2e}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Some tests kill processes at chosen moments, which a busy machine misses now and then.
    retry: process.env.CI ? 1 : 0,
  },
});
