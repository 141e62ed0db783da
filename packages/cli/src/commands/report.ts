import { join } from 'node:path';
import { createProgress, type Progress } from '../progress.js';
import { writeReport } from '../report/write-report.js';
import type { Terminal } from '../terminal.js';

export interface ReportCommandOptions {
  readonly output?: string;
  /** Test images to draw. */
  readonly images: number;
  readonly pictures: boolean;
}

/** Writes a page about runs. One run gets it into its folder, several into the folder at hand. */
export async function reportCommand(runs: readonly string[], options: ReportCommandOptions, terminal: Terminal): Promise<void> {
  const [first, ...others] = runs;
  const output = options.output ?? (first !== undefined && others.length === 0 ? join(first, 'report.html') : 'report.html');
  let shown: { readonly run: string; readonly line: Progress } | undefined;
  await writeReport(runs, output, {
    images: options.images,
    pictures: options.pictures,
    notice: (message) => {
      terminal.note(`note: ${message}`);
    },
    progress: (run, done, total) => {
      if (shown?.run !== run) {
        shown?.line.end();
        shown = { run, line: createProgress(terminal, { label: `pictures of ${run}`, unit: 'checkpoints' }) };
      }
      shown.line.update({ done, total, text: '' });
    },
  });
  shown?.line.end();
  terminal.out(output);
}
