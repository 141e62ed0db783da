import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ConfigError } from '@mimlab/core';
import type { PretrainSummary, TrainRecord } from '@mimlab/train';
import { durationText } from '../duration.js';
import { Interrupted } from '../failure.js';
import { createProgress } from '../progress.js';
import { catchInterrupt } from '../run/interruption.js';
import { loadRunContext, storedConfig, type RunContext } from '../run/run-context.js';
import { headerLines } from '../run/run-header.js';
import { trainRun } from '../run/train-run.js';
import type { Terminal } from '../terminal.js';

export interface PretrainOptions {
  readonly set: readonly string[];
  /** Folder of an earlier run to go on with. */
  readonly resume?: string;
  /** Folder for the new run. */
  readonly output?: string;
}

/** The first of `runs/NAME`, `runs/NAME-2`, ... that is free. */
export function freeRunFolder(config: string, folder = 'runs'): string {
  const name = basename(config).replace(/\.ya?ml$/, '');
  for (let count = 1; ; count++) {
    const path = join(folder, count === 1 ? name : `${name}-${count}`);
    if (!existsSync(path)) return path;
  }
}

/** Turns records of the train loop into lines and the live line. */
export function trainReporter(context: RunContext, terminal: Terminal): { readonly report: (record: TrainRecord) => void; end(): void } {
  const progress = createProgress(terminal, { label: 'update', unit: 'images' });
  return {
    report(record) {
      if (record.kind === 'start') for (const line of headerLines(context, record)) terminal.note(line);
      if (record.kind === 'notice') terminal.note(`note: ${record.message}`);
      if (record.kind !== 'update') return;
      const { update, updates, epoch, loss, lr, waiting } = record;
      const text = `epoch ${epoch.toFixed(2)}  loss ${loss.toFixed(4)}  lr ${lr.toExponential(2)}  ${Math.round(100 * waiting)} % waiting`;
      progress.update({ done: update, total: updates, text, unitsEach: context.config.train.batch * context.config.train.accumulate });
    },
    end: () => {
      progress.end();
    },
  };
}

/** Pre-trains what a configuration says, or goes on with a run. */
export async function pretrainCommand(config: string | undefined, options: PretrainOptions, terminal: Terminal): Promise<PretrainSummary> {
  const { set, resume, output } = options;
  if (resume !== undefined && output !== undefined) {
    throw new ConfigError('a resumed run stays in its folder', { place: '--output', remedy: 'Give --resume or --output, not both.' });
  }
  const file = config ?? (resume === undefined ? undefined : storedConfig(resume));
  if (file === undefined) throw new ConfigError('there is nothing to train', { place: 'CONFIG', remedy: `Name a configuration or a preset ('mimlab presets' lists them), or --resume RUN.` });
  if (resume !== undefined) storedConfig(resume);
  const context = await loadRunContext(file, set);
  const folder = resume ?? output ?? context.config.output ?? freeRunFolder(file);

  const reporter = trainReporter(context, terminal);
  const interruption = catchInterrupt(terminal);
  let summary: PretrainSummary;
  try {
    summary = await trainRun({ context, output: folder, resume: resume !== undefined, signal: interruption.signal, report: reporter.report });
  } finally {
    reporter.end();
    interruption.end();
  }
  if (summary.outcome === 'stopped') {
    throw new Interrupted(`Stopped after update ${summary.update} of ${summary.updates}. Go on with: mimlab pretrain --resume ${folder}`);
  }
  terminal.note(`Finished ${summary.updates} updates in ${durationText(summary.seconds)}${summary.loss === undefined ? '' : `, last loss ${summary.loss.toFixed(4)}`}.`);
  if (context.objective.target.picture !== undefined) terminal.note(`See reconstructions with: mimlab reconstruct ${folder}`);
  terminal.out(folder);
  return summary;
}
