import type { Grid, RandomStream } from '@mimlab/core';

/** What a rule for picking the retained tokens gets. */
export interface PickContext {
  readonly grid: Grid;
  /** Cell ids, in the order of the method's masker. */
  readonly visible: Int32Array;
  readonly masked: Int32Array;
  /** How many to retain. */
  readonly keep: number;
  /** The image's sampling stream, used for nothing else. */
  readonly random: RandomStream;
  /** How much each cell of the grid is attended to, where that is known (AMT). */
  readonly attention?: Float64Array;
}

/** Picks exactly `keep` distinct positions in `masked`, in order of selection. A pure function of its context. */
export type Picker = (context: PickContext) => Int32Array;
