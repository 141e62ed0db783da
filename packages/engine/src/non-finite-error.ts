import { TrainingError } from '@mimlab/core';

/** Loss or gradients stopped being numbers. Thrown before the update is applied; the state is unchanged. */
export class NonFiniteError extends TrainingError {
  constructor(
    readonly loss: number,
    readonly gradNorm: number,
    /** First parameter, in the order of declaration, whose gradient is not finite; absent if only the loss is. */
    readonly param: string | undefined,
  ) {
    super(`loss ${loss}, gradient norm ${gradNorm}${param === undefined ? '' : `; first bad gradient: ${param}`}`, {
      remedy: 'The update was not applied. Lower the learning rate, clip gradients (train.clipNorm) or use precision fp32.',
    });
  }
}
