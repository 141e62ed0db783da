import { basename, join } from 'node:path';
import { datasetRef, imageSpec, type DataConfig, type DatasetRef } from '@mimlab/data';
import { createEngine } from '@mimlab/engine';
import {
  evaluate,
  EvaluationStopped,
  findProtocol,
  leakWarning,
  loadEncoder,
  openEvaluationData,
  openEvaluationFolder,
  parseLabelBudget,
  type EvaluatedModel,
  type EvaluationRecord,
  type EvaluationResults,
} from '@mimlab/evaluate';
import { CONFIG_FILE, writeFileAtomically } from '@mimlab/train';
import { evaluationConfig, type EvaluationConfig } from '../evaluate/evaluation-config.js';
import { encoderFor, findModel, type ModelSource } from '../evaluate/model-source.js';
import { resultLines } from '../evaluate/print-results.js';
import { Interrupted } from '../failure.js';
import { createProgress, type Progress } from '../progress.js';
import { catchInterrupt } from '../run/interruption.js';
import type { Terminal } from '../terminal.js';

export interface EvaluateCommandOptions {
  readonly protocol: string;
  readonly data?: string;
  readonly set: readonly string[];
  readonly labels: string;
  readonly seed: number;
  readonly config?: string;
  readonly untrained?: boolean;
  readonly output?: string;
  /** Look for test images among the training images. */
  readonly leakCheck: boolean;
}

/** Evaluates an encoder by a protocol, or goes on with an evaluation that was interrupted: the same command does. */
export async function evaluateCommand(model: string, options: EvaluateCommandOptions, terminal: Terminal): Promise<void> {
  const notice = (message: string): void => {
    terminal.note(`note: ${message}`);
  };
  const protocol = await findProtocol(options.protocol);
  const labels = parseLabelBudget(options.labels);
  const source = await findModel(model, { untrained: options.untrained === true, notice, ...(options.config === undefined ? {} : { config: options.config }) });
  const config = await evaluationConfig({ ...options, protocol, source });
  const { progress, report, end } = reporter(terminal, notice);

  // Data and model are opened before the folder is made: a mistake leaves nothing behind.
  const learns = protocol.learns !== false;
  const { data, leaks } = await openEvaluationData({
    ...(learns ? { train: datasetRef(config.data, 'train') } : {}),
    test: testImages(config.data, learns),
    image: imageSpec(config.data),
    cropFraction: config.test.cropFraction,
    labels,
    seed: options.seed,
    workers: config.data.workers,
    prefetch: config.data.prefetch,
    cacheBytes: config.data.cacheMiB * 2 ** 20,
    ...(options.leakCheck ? { leaks: (done, total) => progress({ kind: 'progress', stage: 'looking for test images among the training images', unit: 'images', done, total, text: '' }) } : {}),
  });
  end();
  if (leaks.length > 0) terminal.note(`warning: ${leakWarning(leaks, data.testSize)}`);
  const engine = await createEngine(config.engine);
  const interruption = catchInterrupt(terminal);
  try {
    const path = options.output ?? join(source.home, folderName(config));
    const folder = await openEvaluationFolder(path, { ...config });
    try {
      const done = (await folder.results()) as EvaluationResults | undefined;
      if (done === undefined) await writeFileAtomically(join(folder.path, CONFIG_FILE), source.context.loaded.format());
      else notice(`${folder.path} holds the results already`);
      const results = done ?? (await evaluate({ protocol, settings: config.protocol.settings, model: modelOf(source, config, notice), data, leaks, engine, seed: options.seed, folder, signal: interruption.signal, report }));
      end();
      for (const line of [...resultLines(results), ...(protocol.lines?.(results.details) ?? [])]) terminal.note(line);
      terminal.out(folder.path);
    } catch (error) {
      if (error instanceof EvaluationStopped) throw new Interrupted(`Stopped. The same command goes on: mimlab evaluate ${model} --protocol ${options.protocol} --output ${folder.path} ...`);
      throw error;
    } finally {
      await folder.release();
    }
  } finally {
    end();
    interruption.end();
    engine.dispose();
  }
}

/** Where nothing is learnt, a folder that is named holds test images, whatever its layout. */
function testImages(data: DataConfig, learns: boolean): DatasetRef {
  const ref = datasetRef(data, 'test');
  return ref.dataset === 'imagefolder' && !learns ? { ...ref, testAlone: true } : ref;
}

/** `linear-cifar10-10pct-seed1`, say. */
function folderName({ protocol, data, labels, seed }: EvaluationConfig): string {
  // One kind stands for many data sets; their folder tells them apart.
  const named = ['imagefolder', 'parquet', 'inaturalist'].includes(data.dataset) && data.path !== undefined;
  const set = named ? basename(data.path as string) : data.dataset;
  const budget = labels === 'all' ? [] : [labels.replace('%', 'pct')];
  return [protocol.name, set, ...budget, `seed${seed}`].join('-');
}

function modelOf({ context, weights }: ModelSource, config: EvaluationConfig, notice: (message: string) => void): EvaluatedModel {
  const image = imageSpec(config.data);
  const { objective } = context;
  const encoder = encoderFor(context, image);
  return {
    encoder,
    image,
    statistics: { mean: config.data.mean ?? [], std: config.data.std ?? [] },
    ...(weights === undefined ? {} : { weights }),
    encoderValues: () => loadEncoder({ weights, source: objective.encoder, target: encoder, pretraining: objective.params(), seed: context.config.seed, notice }),
  };
}

/** One progress line for each stage. */
function reporter(terminal: Terminal, notice: (message: string) => void) {
  let shown: { readonly stage: string; readonly line: Progress } | undefined;
  const end = (): void => {
    shown?.line.end();
    shown = undefined;
  };
  const progress = ({ stage, unit, ...state }: Extract<EvaluationRecord, { kind: 'progress' }>): void => {
    if (shown?.stage !== stage) {
      end();
      shown = { stage, line: createProgress(terminal, { label: stage, unit }) };
    }
    shown.line.update(state);
  };
  const report = (record: EvaluationRecord): void => {
    if (record.kind === 'progress') progress(record);
    else notice(record.message);
  };
  return { progress, report, end };
}
