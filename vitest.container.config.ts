import { suite } from './vitest.shared.ts';

/** The tests in containers: one file at a time, because each runs several containers. Run: npm run test:containers */
export default suite('containers', {
  include: ['test/container/**/*.test.ts'],
  testTimeout: 2_400_000,
  hookTimeout: 1_800_000,
  fileParallelism: false,
  // On a busy machine a boot sometimes takes too long; a real fault fails the second time, too.
  retry: 1,
  maxConcurrency: 3,
});
