import { suite } from './vitest.shared.ts';

/** The tests on a real payload: they take minutes, one file at a time. Run: npm run test:real */
export default suite('real', {
  include: ['test/real/**/*.test.ts'],
  testTimeout: 900_000,
  hookTimeout: 1_800_000,
  fileParallelism: false,
});
