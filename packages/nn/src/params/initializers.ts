import { sizeOfShape, type Initializer } from '@mimlab/core';

/** Every element the same. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOfShape(shape)).fill(value);

export const zeros: Initializer = constant(0);
export const ones: Initializer = constant(1);

/** Values known beforehand, a position table say. They are copied. */
export const fixed =
  (values: Float32Array): Initializer =>
  () =>
    values.slice();

/** U(-bound, bound). */
export const uniform =
  (bound: number): Initializer =>
  (shape, random) =>
    fill(shape, () => (2 * random.uniform() - 1) * bound);

/** Normal with mean 0, not truncated. */
export const normal =
  (std: number): Initializer =>
  (shape, random) =>
    fill(shape, () => random.normal() * std);

/**
 * Normal with mean 0, drawn again outside +-`cut` sigma. Truncating at the absolute values +-2, as timm 0.3.2 does, would
 * leave a standard deviation of 0.02 untouched and lets single elements become exactly -2.
 */
export const truncatedNormal =
  (std: number, cut = 2): Initializer =>
  (shape, random) =>
    fill(shape, () => {
      let draw = random.normal();
      while (Math.abs(draw) > cut) draw = random.normal();
      return draw * std;
    });

/**
 * Xavier (Glorot) uniform on a matrix: U(-a, a), a = sqrt(6 / (in + out)). The last axis counts as outputs, all others
 * as inputs, so a patch embedding [p*q*C, D] is treated as the matrix it is. A fused qkv matrix counts as one matrix,
 * as in the official MAE (models_mae.py, _init_weights).
 */
export const xavierUniform: Initializer = (shape, random) => {
  const outputs = shape[shape.length - 1] ?? 1;
  const inputs = sizeOfShape(shape) / outputs;
  return uniform(Math.sqrt(6 / (inputs + outputs)))(shape, random);
};

/** The default of PyTorch's convolutions and linear maps, weight and bias alike: U(-1/sqrt(fanIn), 1/sqrt(fanIn)). */
export const torchUniform = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn));

function fill(shape: readonly number[], draw: () => number): Float32Array {
  const values = new Float32Array(sizeOfShape(shape));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}
