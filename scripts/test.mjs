// Every test of the workspace: set-up, build (workers load built JavaScript), then vitest. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { binary, buildAll, isMain, reportFailure, root, setup } from './setup.mjs';

/** Where the last run left its results as JSON. */
export const testReport = join(root, 'out-tsc', 'test-report.json');

/** Sets up, builds and runs vitest; its exit code becomes this process'. */
export async function runTests(args, environment = {}) {
  // An old report must not pass for this run's.
  rmSync(testReport, { force: true });
  await setup();
  buildAll();
  mkdirSync(dirname(testReport), { recursive: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${testReport}`];
  const { status } = spawnSync(binary('vitest'), ['run', ...reporters, ...args], { cwd: root, stdio: 'inherit', env: { ...process.env, ...environment } });
  process.exitCode = status ?? 1;
}

if (isMain(import.meta.url)) await runTests(process.argv.slice(2)).catch(reportFailure);
