/**
 * Prints the sums of vitest's JSON reports in a directory as "N passed, N failed, N skipped". The exit status is 1 if
 * no test passed or anything failed. Run: node scripts/sum-results.mjs DIRECTORY
 *
 * Plain JavaScript without dependencies, because .ci/run also calls it when the installation fails.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '.'] = process.argv.slice(2);
const sums = { passed: 0, failed: 0, skipped: 0 };
let ok = true;

for (const name of readdirSync(directory).filter((name) => name.endsWith('.json'))) {
  try {
    const report = JSON.parse(readFileSync(join(directory, name), 'utf8'));
    sums.passed += report.numPassedTests;
    sums.failed += report.numFailedTests + filesThatFailed(report);
    sums.skipped += report.numPendingTests + report.numTodoTests;
    ok &&= report.success;
  } catch (error) {
    process.stderr.write(`${name}: not a report of vitest: ${error.message}\n`);
    ok = false;
  }
}

process.stdout.write(`${sums.passed} passed, ${sums.failed} failed, ${sums.skipped} skipped\n`);
if (!ok || sums.failed > 0 || sums.passed === 0) process.exitCode = 1;

/** Files that failed outside of their tests: they could not be loaded, or a hook failed and the tests were skipped. */
function filesThatFailed({ testResults }) {
  return testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
}
