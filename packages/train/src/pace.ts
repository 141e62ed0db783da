/** Where the time of a process goes, between one row of the log and the next. */
export interface Pace {
  /** Adds to the time since the last row. */
  add(stage: 'data' | 'step', seconds: number): void;
  images(count: number): void;
  /** Images a second since the last row, without starting anew. */
  rate(): number;
  /** The figures since the last row; starts anew. */
  lap(): { readonly imagesPerSecond: number; readonly seconds: { readonly data: number; readonly step: number } };
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
  return {
    add: (stage, elapsed) => {
      seconds[stage] += elapsed;
    },
    images: (count) => {
      images += count;
    },
    rate,
    lap: () => {
      const figures = { imagesPerSecond: rate(), seconds };
      began = now();
      images = 0;
      seconds = { data: 0, step: 0 };
      return figures;
    },
  };
}
