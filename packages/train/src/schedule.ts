export interface ScheduleOptions {
  readonly kind: 'mae' | 'mmengine';
  /** Peak learning rate. */
  readonly lr: number;
  readonly minLr: number;
  readonly warmupEpochs: number;
  readonly epochs: number;
  /** Micro-batches in an epoch. */
  readonly iterationsPerEpoch: number;
  /** Micro-batches to one update. */
  readonly accumulate?: number;
  /** `mmengine` only: first rate as a fraction of the peak. */
  readonly warmupStartFactor?: number;
}

/** Learning rate of a micro-batch: `epoch` from 0, `iteration` in that epoch from 0. */
export type Schedule = (epoch: number, iteration: number) => number;

/**
 * Linear warm-up, then half a cosine down to `minLr`, per iteration.
 *
 * - `mae` (official `lr_sched.adjust_learning_rate`): warm-up starts at exactly 0, so that the first update moves
 *   nothing but the moments; the rate changes only where an update begins.
 * - `mmengine` (LinearLR and CosineAnnealingLR converted to iterations): warm-up starts at lr * warmupStartFactor and
 *   reaches the peak at its last iteration; the rate changes with every micro-batch, and an update uses that of its last
 *   one; `minLr` is absolute.
 *
 * A parameter with a scale of its own gets `schedule * scale`: in `mae` the floor is scaled with it.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  return options.kind === 'mae' ? maeSchedule(options) : mmengineSchedule(options);
}

const halfCosine = (from: number, to: number, progress: number): number => to + (from - to) * 0.5 * (1 + Math.cos(Math.PI * progress));

function maeSchedule({ lr, minLr, warmupEpochs, epochs, iterationsPerEpoch, accumulate = 1 }: ScheduleOptions): Schedule {
  return (epoch, iteration) => {
    const updateStart = iteration - (iteration % accumulate);
    const time = epoch + updateStart / iterationsPerEpoch;
    return time < warmupEpochs ? (lr * time) / warmupEpochs : halfCosine(lr, minLr, (time - warmupEpochs) / (epochs - warmupEpochs));
  };
}

function mmengineSchedule({ lr, minLr, warmupEpochs, epochs, iterationsPerEpoch, warmupStartFactor = 1e-4 }: ScheduleOptions): Schedule {
  const warmup = Math.round(warmupEpochs * iterationsPerEpoch);
  const total = epochs * iterationsPerEpoch;
  return (epoch, iteration) => {
    const time = epoch * iterationsPerEpoch + iteration;
    if (time < warmup) {
      // A warm-up of one iteration has no slope; it is at its end already.
      const progress = warmup === 1 ? 1 : time / (warmup - 1);
      return lr * (warmupStartFactor + (1 - warmupStartFactor) * progress);
    }
    return halfCosine(lr, minLr, (time - warmup) / (total - warmup));
  };
}
