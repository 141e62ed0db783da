import { EngineError } from '@mimlab/core';
import { broadcast } from './elementwise.js';
import { at, type Inferred, type KernelTable, type RawAttrs } from './kernel-spec.js';
import type { TracedValue } from '../recording.js';

function product(inputs: readonly TracedValue[], attrs: RawAttrs): Inferred {
  const a = at(inputs, 0);
  const b = at(inputs, 1);
  const transposeA = attrs['transposeA'] === true;
  const transposeB = attrs['transposeB'] === true;
  const side = ({ shape }: TracedValue, fromEnd: number): number => shape[shape.length - fromEnd] as number;
  const [rows, inner] = [side(a, transposeA ? 1 : 2), side(a, transposeA ? 2 : 1)];
  const [other, columns] = [side(b, transposeB ? 1 : 2), side(b, transposeB ? 2 : 1)];
  if (inner !== other) {
    throw new EngineError(`[${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not multiply: ${inner} against ${other}`, { place: 'BatchMatMul' });
  }
  const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  return { outputs: [{ shape, dtype: a.dtype }], attrs: { transposeA, transposeB } };
}

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'sigmoid', 'elu', 'leakyrelu'];

export const PRODUCTS: KernelTable = {
  BatchMatMul: { inputs: ['a', 'b'], infer: product },
  _FusedMatMul: {
    inputs: ['a', 'b', 'bias?', 'preluActivationWeights?'],
    infer(inputs, attrs) {
      const activation = String(attrs['activation'] ?? 'linear');
      if (!ACTIVATIONS.includes(activation)) throw new EngineError(`activation '${activation}' cannot be compiled`, { place: '_FusedMatMul' });
      const { outputs, attrs: own } = product(inputs, attrs);
      return { outputs, attrs: { ...own, activation, alpha: Number(attrs['leakyreluAlpha'] ?? 0.2) } };
    },
  },
};
