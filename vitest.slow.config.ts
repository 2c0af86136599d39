import { suite } from './vitest.shared.ts';

/** The tests that take minutes and find rare faults, one file at a time. Run: npm run test:slow */
export default suite('slow', {
  include: ['test/slow/**/*.test.ts'],
  testTimeout: 900_000,
  hookTimeout: 120_000,
  fileParallelism: false,
  // They kill processes at random moments, which a busy machine misses now and then.
  retry: process.env.CI ? 1 : 0,
});
