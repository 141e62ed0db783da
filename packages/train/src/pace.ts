import type { LoaderStage } from '@mimlab/data';

/** Where the time of a process goes, between one row of the log and the next. */
export interface Pace {
  /** Adds to the time since the last row. */
  add(stage: 'data' | 'step', seconds: number): void;
  images(count: number): void;
  /** Images a second since the last row, without starting anew. */
  rate(): number;
  /** Share of the time since the last row that was spent waiting for data. */
  waiting(): number;
  /**
   * The figures since the last row; starts anew.
   * @param loader seconds of the loader's stages in the same time; absent: they are not part of the figures
   */
  lap(loader?: Readonly<Record<LoaderStage, number>>): Lap;
}

/** Figures from one row to the next. */
export interface Lap {
  readonly imagesPerSecond: number;
  /** Of this process: waiting for data, running steps. */
  readonly seconds: { readonly data: number; readonly step: number };
  /** Stages of the loader as shares of the time that passed; those that workers do add up over the workers. */
  readonly loader?: Readonly<Record<LoaderStage, number>>;
}

/** @param now seconds of a clock that never goes back */
export function createPace(now: () => number): Pace {
  let began = now();
  let images = 0;
  let seconds = { data: 0, step: 0 };
  const rate = (): number => {
    const elapsed = now() - began;
    return elapsed > 0 ? images / elapsed : 0;
  };
  const shareOf = (spent: number): number => {
    const elapsed = now() - began;
    return elapsed > 0 ? spent / elapsed : 0;
  };
  return {
    add: (stage, elapsed) => {
      seconds[stage] += elapsed;
    },
    images: (count) => {
      images += count;
    },
    rate,
    waiting: () => shareOf(seconds.data),
    lap: (loader) => {
      const shares = loader && Object.fromEntries(Object.entries(loader).map(([stage, spent]) => [stage, shareOf(spent)]));
      const figures = { imagesPerSecond: rate(), seconds, ...(shares === undefined ? {} : { loader: shares as Record<LoaderStage, number> }) };
      began = now();
      images = 0;
      seconds = { data: 0, step: 0 };
      return figures;
    },
  };
}
