import { at, like, type KernelTable } from './kernel-spec.js';

/**
 * Kernels that tfjs does not have: chains of operations that the graph engine can run in one pass over memory (see
 * native/). Layers ask whether the backend has them and compute the same with tfjs' own operations where it has not.
 * A trace has them only if whoever lowers it has the native library.
 */
export const FUSED: KernelTable = {
  /** x of any shape; outputs y = x * Phi(x), with the error function, and its derivative. */
  MimGelu: {
    inputs: ['x'],
    infer(inputs) {
      const x = like(at(inputs, 0));
      return { outputs: [x, x] };
    },
  },
  /** Inputs x [..., D], gain [D], offset [D]; outputs y like x, mean and 1/std [..., 1]. Variance is biased. */
  MimLayerNorm: {
    inputs: ['x', 'gain', 'offset'],
    infer(inputs, attrs) {
      const x = at(inputs, 0);
      const row = { shape: [...x.shape.slice(0, -1), 1], dtype: x.dtype };
      return { outputs: [like(x), row, row], attrs: { epsilon: Number(attrs['epsilon']) } };
    },
  },
  /** Inputs dy, x, gain, and mean and rstd as MimLayerNorm gave them; outputs the gradients of x, gain and offset. */
  MimLayerNormGrad: {
    inputs: ['dy', 'x', 'gain', 'mean', 'rstd'],
    infer(inputs) {
      const gain = like(at(inputs, 2));
      return { outputs: [like(at(inputs, 1)), gain, gain] };
    },
  },
  /** x [M, D]; output [D]. */
  MimColumnSums: {
    inputs: ['x'],
    infer(inputs) {
      const x = at(inputs, 0);
      return { outputs: [{ shape: x.shape.slice(1), dtype: x.dtype }] };
    },
  },
  /** Multi-head self-attention: qkv [B*n, 3D], rows [q | k | v]; attributes tokens (n) and heads; output [B*n, D]. */
  MimAttention: {
    inputs: ['qkv'],
    infer(inputs, attrs) {
      const { shape, dtype } = at(inputs, 0);
      const [rows = 0, width = 0] = shape;
      return { outputs: [{ shape: [rows, width / 3], dtype }], attrs: { tokens: Number(attrs['tokens']), heads: Number(attrs['heads']) } };
    },
  },
  /** Inputs the gradient of MimAttention's output, its input and its output; output the gradient of qkv. */
  MimAttentionGrad: {
    inputs: ['dout', 'qkv', 'out'],
    infer: (inputs, attrs) => ({ outputs: [like(at(inputs, 1))], attrs: { tokens: Number(attrs['tokens']), heads: Number(attrs['heads']) } }),
  },
};
