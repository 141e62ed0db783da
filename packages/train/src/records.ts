import type { MetricsRow } from './metrics-log.js';

/** What the train loop tells whoever watches, as plain data: nothing a watcher does can change the run. */
export type TrainRecord =
  | {
      readonly kind: 'start';
      readonly runFolder: string;
      /** Updates done before, 0 for a new run. */
      readonly update: number;
      readonly updates: number;
      readonly updatesPerEpoch: number;
      readonly samples: number;
      readonly parameters: { readonly trainable: number; readonly frozen: number };
      /** Images to one update and the peak rate that follows from it. */
      readonly effectiveBatch: number;
      readonly baseLr: number | undefined;
      readonly lr: number;
      readonly engine: string;
    }
  /** After every update. */
  | {
      readonly kind: 'update';
      readonly update: number;
      readonly updates: number;
      readonly epoch: number;
      readonly loss: number;
      readonly lr: number;
      /** Since the last row of the log. */
      readonly imagesPerSecond: number;
      /** Share of the time since then that was spent waiting for data. */
      readonly waiting: number;
    }
  /** After every `logEvery`th update: the row that was written to metrics.jsonl. */
  | { readonly kind: 'metrics'; readonly row: MetricsRow }
  | { readonly kind: 'checkpoint'; readonly update: number; readonly path: string; readonly seconds: number }
  /** Something a person should know: damaged checkpoints that were passed over, rows that were dropped. */
  | { readonly kind: 'notice'; readonly message: string };

export interface PretrainSummary {
  /** `stopped`: the signal asked for it; the run can be resumed. */
  readonly outcome: 'finished' | 'stopped';
  readonly update: number;
  readonly updates: number;
  /** Loss of the last update of this process; undefined if it made none. */
  readonly loss: number | undefined;
  readonly checkpoint: string;
  readonly runFolder: string;
  /** Of this process, checkpoints and logs included. */
  readonly seconds: number;
}
