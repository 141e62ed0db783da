// Prints `N passed, N failed` (and skipped, if any) of the last test run; fails if there is none or one failed.
import { existsSync, readFileSync } from 'node:fs';
import { isMain } from './setup.mjs';
import { testReport } from './test.mjs';

/** Sums of a vitest JSON report. A file that broke before its first test counts as one failure. */
export function countTests(report) {
  const broken = report.testResults.filter(({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed')).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken, skipped: report.numPendingTests + report.numTodoTests };
}

export const countLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

if (isMain(import.meta.url)) {
  const counts = existsSync(testReport) ? countTests(JSON.parse(readFileSync(testReport, 'utf8'))) : { passed: 0, failed: 1, skipped: 0 };
  console.log(countLine(counts));
  if (counts.failed > 0) process.exitCode = 1;
}
