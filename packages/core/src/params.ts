import type { Tensor } from '@tensorflow/tfjs-core';
import type { RandomStream } from './random/stream.js';

/**
 * How a parameter lies in memory (tfjs) against how official PyTorch files store it:
 *
 * | layout      | memory              | file                |
 * | ----------- | ------------------- | ------------------- |
 * | `same`      | as in the file      | any shape           |
 * | `linear`    | [in, out]           | [out, in]           |
 * | `patch`     | [p * q * C, D]      | [D, C, p, q]        |
 * | `conv`      | [kh, kw, in, out]   | [out, in, kh, kw]   |
 * | `depthwise` | [kh, kw, C, 1]      | [C, 1, kh, kw]      |
 * | `deconv`    | [in, kh * kw * out] | [in, out, kh, kw]   |
 */
export type ParamLayout =
  | { readonly kind: 'same' }
  | { readonly kind: 'linear' }
  | { readonly kind: 'patch'; readonly patch: readonly [height: number, width: number]; readonly channels: number }
  | { readonly kind: 'conv' }
  | { readonly kind: 'depthwise' }
  // A transposed convolution whose stride is its kernel: a linear map from a token to the pixels it becomes.
  | { readonly kind: 'deconv'; readonly kernel: readonly [height: number, width: number] };

/** Makes the initial value, in memory layout. `random` is a stream of the parameter's own. */
export type Initializer = (shape: readonly number[], random: RandomStream) => Float32Array;

/** One parameter: its shape in memory, whether training changes it, how it starts, how files store it. All float32. */
export interface ParamSpec {
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly init: Initializer;
  readonly layout: ParamLayout;
  /** The method exempts it from weight decay, whatever its shape and name say. */
  readonly decay?: false;
}

/** Parameters by their official state-dict names. */
export type ParamSpecs = Readonly<Record<string, ParamSpec>>;

/** The same parameters as tensors, in memory layout. */
export type Params = Readonly<Record<string, Tensor>>;
