export interface ScheduleOptions {
  readonly kind: 'mae' | 'mmengine' | 'simmim-cosine' | 'simmim-step';
  /** Peak learning rate. */
  readonly lr: number;
  readonly minLr: number;
  readonly warmupEpochs: number;
  readonly epochs: number;
  /** Micro-batches in an epoch. */
  readonly iterationsPerEpoch: number;
  /** Micro-batches to one update. */
  readonly accumulate?: number;
  /** `mmengine` and `simmim-*` only: first rate as a fraction of the peak. */
  readonly warmupStartFactor?: number;
  /** `simmim-step` only: epochs at whose begin the rate is multiplied by `stepFactor`, 0.1 unless given. */
  readonly milestones?: readonly number[] | undefined;
  readonly stepFactor?: number | undefined;
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
 * - `simmim-cosine`, `simmim-step` (official SimMIM with timm 0.4): warm-up starts at lr * warmupStartFactor; the cosine
 *   runs over all epochs, so that the rate steps down where the warm-up ends; the other one falls at milestones only. The
 *   scheduler is called behind the optimizer, so that an update uses the rate of the micro-batch before its first one.
 *   `minLr` and the first rate are absolute.
 *
 * A parameter with a scale of its own gets `schedule * scale`: in `mae` the floor is scaled with it.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  if (options.kind === 'mae') return maeSchedule(options);
  return options.kind === 'mmengine' ? mmengineSchedule(options) : simmimSchedule(options);
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

function simmimSchedule({ kind, lr, minLr, warmupEpochs, epochs, iterationsPerEpoch, accumulate = 1, warmupStartFactor = 0.005, milestones = [], stepFactor = 0.1 }: ScheduleOptions): Schedule {
  const warmup = warmupEpochs * iterationsPerEpoch;
  const start = lr * warmupStartFactor;
  return (epoch, iteration) => {
    const updateStart = epoch * iterationsPerEpoch + iteration - (iteration % accumulate);
    const time = Math.max(0, updateStart - 1);
    if (time < warmup) return start + (time * (lr - start)) / warmup;
    if (kind === 'simmim-cosine') return halfCosine(lr, minLr, time / (epochs * iterationsPerEpoch));
    return lr * stepFactor ** milestones.filter((milestone) => time >= milestone * iterationsPerEpoch).length;
  };
}
