import type { Encoder, ImageSpec, NamedHostTensors, PixelStatistics } from '@mimlab/core';
import type { AugmentSpec, Loader } from '@mimlab/data';
import type { Engine } from '@mimlab/engine';
import type { z } from 'zod';
import type { EvaluationFolder } from './evaluation-folder.js';
import type { Predictions } from './results.js';

/** What is evaluated. */
export interface EvaluatedModel {
  /** At the size of `image`. */
  readonly encoder: Encoder;
  readonly image: ImageSpec;
  /** What images are normalised with: that of pre-training. */
  readonly statistics: PixelStatistics;
  /** The encoder's parameters, brought to the size of `image`, in memory layout. */
  encoderValues(): Promise<NamedHostTensors>;
  /** The file that the weights come from; absent for an encoder as it starts. */
  readonly weights?: string;
}

export interface LoaderRequest {
  readonly batch: number;
  readonly augment: AugmentSpec;
  /** Random order, short last batch dropped; else all in the order of the data set. */
  readonly shuffle: boolean;
}

/** Labelled images to learn from and images to be tested on. */
export interface EvaluationData {
  readonly classes: readonly string[];
  /** Labelled images in use: fewer than the data set has where few labels were asked for. */
  readonly trainSize: number;
  readonly testSize: number;
  /** Of images that are not augmented: size over shorter side of the resized image, before the centre is cut out. */
  readonly cropFraction: number;
  openTrain(request: LoaderRequest): Promise<Loader>;
  /** Every test image once, its centre, in order. */
  openTest(batch: number): Promise<Loader>;
  /**
   * Further test images, for protocols that ask about several sets: `PATH/CLASS/...`, or the same below `test` or `val`.
   * @throws DataError naming the folder that is missing or holds no images
   */
  testFolder(path: string): Promise<TestFolder>;
}

/** Test images in folders named by class. */
export interface TestFolder {
  readonly classes: readonly string[];
  readonly size: number;
  /** Size of the first image. */
  firstImage(): Promise<{ readonly height: number; readonly width: number }>;
  /** Every image once, its centre, in order. @param cropFraction as in `EvaluationData`, whose it is unless given */
  open(batch: number, cropFraction?: number): Promise<Loader>;
}

/** What a protocol tells whoever watches. */
export type EvaluationRecord =
  | { readonly kind: 'progress'; readonly stage: string; readonly unit: string; readonly done: number; readonly total: number; readonly text: string; readonly unitsEach?: number }
  | { readonly kind: 'notice'; readonly message: string };

export interface EvaluationContext {
  readonly model: EvaluatedModel;
  readonly data: EvaluationData;
  /** Holds no state yet. */
  readonly engine: Engine;
  readonly seed: number;
  /** Keeps what an interrupted evaluation has done. */
  readonly folder: EvaluationFolder;
  readonly signal: AbortSignal;
  report(record: EvaluationRecord): void;
}

/** A way to judge an encoder. Built-in ones lie in `protocols/`; others are modules with one as default export. */
export interface Protocol<Config = unknown> {
  readonly kind: 'protocol';
  /** Short name, lower case with dashes. */
  readonly name: string;
  /** One line for people. */
  readonly about: string;
  /** Where the protocol and its defaults come from. */
  readonly source: string;
  /** A strict object: every key has a default. */
  readonly configSchema: z.ZodType<Config>;
  /** It needs labelled images to learn from; `classify` does not. Default true. */
  readonly learns?: boolean;
  /** What a person is told of `details`, a line each. */
  lines?(details: Readonly<Record<string, unknown>>): readonly string[];
  /**
   * A function of its arguments: with the same folder it goes on where it was interrupted, to the same numbers.
   * @throws EvaluationStopped when the signal asks for it and what was done is saved
   */
  run(config: Config, context: EvaluationContext): Promise<Predictions>;
}

/** Checks and freezes a protocol. */
export const defineProtocol = <Config>(protocol: Omit<Protocol<Config>, 'kind'>): Protocol<Config> => Object.freeze({ ...protocol, kind: 'protocol' as const });

/** The signal asked to stop; what was done so far is kept. */
export class EvaluationStopped extends Error {
  constructor() {
    super('the evaluation was stopped');
    this.name = 'EvaluationStopped';
  }
}

/** Stops between two batches if that was asked for. */
export function stopIfAsked(signal: AbortSignal): void {
  if (signal.aborted) throw new EvaluationStopped();
}
