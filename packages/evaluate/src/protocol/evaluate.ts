import type { Engine } from '@mimlab/engine';
import { describeEnvironment } from '@mimlab/train';
import type { EvaluationFolder } from './evaluation-folder.js';
import type { Leak } from './leaks.js';
import type { EvaluatedModel, EvaluationData, EvaluationRecord, Protocol } from './protocol.js';
import { summarize, type Summary } from './results.js';

export interface EvaluateOptions {
  readonly protocol: Protocol;
  /** Parsed by the protocol's schema. */
  readonly settings: unknown;
  readonly model: EvaluatedModel;
  readonly data: EvaluationData;
  readonly leaks: readonly Leak[];
  /** Holds no state yet. */
  readonly engine: Engine;
  readonly seed: number;
  readonly folder: EvaluationFolder;
  readonly signal?: AbortSignal;
  readonly report?: (record: EvaluationRecord) => void;
}

/** results.json. */
export interface EvaluationResults extends Summary {
  readonly protocol: string;
  readonly source: string;
  /** Labelled images in use. */
  readonly labelled: number;
  /** Test images that are training images too, by bytes. */
  readonly leaks: readonly Leak[];
  /** The whole configuration, every key. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: ReturnType<typeof describeEnvironment>;
  /** Of this process: after an interruption less than the whole. */
  readonly seconds: number;
}

/**
 * Runs a protocol, or goes on with it, and writes results.json into the folder.
 * @throws EvaluationStopped when the signal asked to stop
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationResults> {
  const { protocol, settings, model, data, leaks, engine, seed, folder, signal = new AbortController().signal, report = () => undefined } = options;
  const began = performance.now();
  const predictions = await protocol.run(settings, { model, data, engine, seed, folder, signal, report });
  const results: EvaluationResults = {
    protocol: protocol.name,
    source: protocol.source,
    ...summarize(predictions, data.classes),
    labelled: data.trainSize,
    leaks,
    config: folder.config,
    environment: describeEnvironment(engine),
    seconds: (performance.now() - began) / 1000,
  };
  await folder.writeResults(results);
  return results;
}
