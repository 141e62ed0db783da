import type { Tensor2D } from '@tensorflow/tfjs-core';

/** A residual branch on its way to the sum: drop path, say. */
export type ResidualRule = (branch_MC: Tensor2D, which: 'attention' | 'mlp') => Tensor2D;
