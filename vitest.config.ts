import { suite } from './vitest.shared.ts';

/** The tests that npm test runs. */
export default suite('main', {
  include: ['test/{unit,format,e2e}/**/*.test.ts'],
  testTimeout: 60_000,
  hookTimeout: 120_000,
  // By default vitest leaves one core unused: half of the time on two cores.
  maxWorkers: '100%',
  // Some tests kill processes at chosen moments, which a busy machine misses now and then.
  retry: process.env.CI ? 1 : 0,
});
