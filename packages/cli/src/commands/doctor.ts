import { describeEnvironment, inspectEnvironment } from '@mimlab/engine';
import type { Terminal } from '../terminal.js';

/** Says what this machine can run, what is missing, and how to get it. */
export function doctor({ json }: { readonly json?: boolean }, terminal: Terminal): void {
  const report = inspectEnvironment();
  if (json === true) terminal.out(JSON.stringify(report, null, 2));
  else for (const line of describeEnvironment(report)) terminal.out(line);
}
