/** One evaluation of an experiment's encoder: what `mimlab evaluate` is asked for. */
export interface EvaluationPlan {
  /** Column of results; unique within an experiment. */
  readonly name: string;
  readonly protocol: string;
  /** `all`, a share of each class, or a number a class. */
  readonly labels: string;
  /** Of everything random in the evaluation. */
  readonly seed: number;
  /** KIND:PATH or an image folder; the data of pre-training unless given. */
  readonly data?: string;
  /** `KEY=VALUE` for `--set`. */
  readonly set: readonly string[];
}

/** A configuration that is pre-trained (or left as it starts) and then evaluated. */
export interface Experiment {
  /** Row and seed, for people: `t2-09 seed 1`. */
  readonly id: string;
  /** Configuration file or name of a preset. */
  readonly config: string;
  /** `KEY=VALUE` laid over it. */
  readonly set: readonly string[];
  /** false: the encoder is evaluated as it starts, which makes fine-tuning a training from scratch. */
  readonly pretrain: boolean;
  /** Folder of a run of the same grid that this one reads: a teacher's, say. */
  readonly after?: string;
  readonly evaluations: readonly EvaluationPlan[];
}

/** What one evaluation gave. */
export interface EvaluationOutcome {
  /** 0..1. */
  readonly accuracy: number;
  /** Of 95 %, by Wilson's score. */
  readonly interval: { readonly low: number; readonly high: number };
  readonly samples: number;
  readonly seconds: number;
  readonly folder: string;
}

/** What pre-training gave. */
export interface PretrainOutcome {
  readonly folder: string;
  readonly updates: number;
  /** Mean over the last tenth of the logged rows. */
  readonly loss: number;
  /** Time of all updates, waiting for data included. */
  readonly seconds: number;
}

/** An experiment with all its numbers. */
export interface ExperimentOutcome {
  readonly experiment: Experiment;
  /** Absent where the encoder is evaluated as it starts. */
  readonly pretrain?: PretrainOutcome;
  /** By the name of the evaluation. */
  readonly evaluations: Readonly<Record<string, EvaluationOutcome>>;
}
