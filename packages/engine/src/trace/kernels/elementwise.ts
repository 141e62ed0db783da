import * as tf from '@tensorflow/tfjs-core';
import { tracedType } from '../recorder.js';
import type { TracedType } from '../recording.js';
import { at, like, type KernelSpec, type KernelTable } from './kernel-spec.js';

/** Kernels of one input `x` whose result has its shape and type. */
export const UNARY = [
  'Abs', 'Atan', 'Ceil', 'Cos', 'Erf', 'Exp', 'Expm1', 'Floor', 'Log', 'Log1p', 'LogicalNot', 'Neg', 'Reciprocal', 'Relu', 'Relu6',
  'Round', 'Rsqrt', 'Sigmoid', 'Sign', 'Sin', 'Softplus', 'Sqrt', 'Square', 'Tanh',
] as const; // prettier-ignore

/** Kernels of one input `x` that ask something of each element. */
export const TESTS = ['IsFinite', 'IsInf', 'IsNan'] as const;

/** Kernels of two inputs of one type, with broadcasting. */
export const BINARY = ['Add', 'Atan2', 'FloorDiv', 'Maximum', 'Minimum', 'Mod', 'Multiply', 'Pow', 'RealDiv', 'SquaredDifference', 'Sub'] as const;

/** The same, with a truth value as result. */
export const COMPARISON = ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr', 'NotEqual'] as const;

export const broadcast = (a: readonly number[], b: readonly number[]): number[] =>
  tf.broadcast_util.assertAndGetBroadcastShape([...a], [...b]);

const unary = (dtype?: TracedType): KernelSpec => ({
  inputs: ['x'],
  infer: (inputs) => ({ outputs: [{ ...like(at(inputs, 0)), ...(dtype === undefined ? {} : { dtype }) }] }),
});

const binary = (dtype?: TracedType): KernelSpec => ({
  inputs: ['a', 'b'],
  infer: (inputs) => ({ outputs: [{ shape: broadcast(at(inputs, 0).shape, at(inputs, 1).shape), dtype: dtype ?? at(inputs, 0).dtype }] }),
});

const sameLike = (value: number): KernelSpec => ({
  inputs: ['x'],
  infer(inputs) {
    const output = like(at(inputs, 0));
    return { outputs: [output], attrs: { value }, as: { kernel: 'Fill', inputs: [] } };
  },
});

const each = (names: readonly string[], spec: KernelSpec): KernelTable => Object.fromEntries(names.map((name) => [name, spec]));

export const ELEMENTWISE: KernelTable = {
  ...each(UNARY, unary()),
  ...each(TESTS, unary('bool')),
  ...each(BINARY, binary()),
  ...each(COMPARISON, binary('bool')),
  ZerosLike: sameLike(0),
  OnesLike: sameLike(1),
  Identity: { inputs: ['x'], infer: (inputs) => ({ outputs: [like(at(inputs, 0))], alias: true }) },
  Cast: {
    inputs: ['x'],
    infer(inputs, attrs) {
      const dtype = tracedType(String(attrs['dtype']), 'Cast');
      const x = at(inputs, 0);
      return { outputs: [{ shape: x.shape, dtype }], ...(dtype === x.dtype ? { alias: true } : {}) };
    },
  },
  Step: { inputs: ['x'], infer: (inputs, attrs) => ({ outputs: [like(at(inputs, 0))], attrs: { alpha: Number(attrs['alpha'] ?? 0) } }) },
  LeakyRelu: { inputs: ['x'], infer: (inputs, attrs) => ({ outputs: [like(at(inputs, 0))], attrs: { alpha: Number(attrs['alpha']) } }) },
  ClipByValue: {
    inputs: ['x'],
    infer: (inputs, attrs) => ({
      outputs: [like(at(inputs, 0))],
      attrs: { low: Number(attrs['clipValueMin']), high: Number(attrs['clipValueMax']) },
    }),
  },
  Select: { inputs: ['condition', 't', 'e'], infer: (inputs) => ({ outputs: [like(at(inputs, 1))] }) },
  Fill: {
    inputs: [],
    infer(_, attrs) {
      const value = Number(attrs['value']);
      return {
        outputs: [{ shape: attrs['shape'] as number[], dtype: tracedType(String(attrs['dtype'] ?? 'float32'), 'Fill') }],
        attrs: { value },
      };
    },
  },
  Range: {
    inputs: [],
    infer(_, attrs) {
      const dtype = tracedType(String(attrs['dtype'] ?? 'float32'), 'Range');
      const [start, stop, step] = [Number(attrs['start']), Number(attrs['stop']), Number(attrs['step'] ?? 1)];
      const length = Math.max(0, Math.ceil((stop - start) / step));
      return { outputs: [{ shape: [length], dtype }], constant: Array.from({ length }, (_unused, i) => start + i * step) };
    },
  },
  OneHot: {
    inputs: ['indices'],
    infer(inputs, attrs) {
      const depth = Number(attrs['depth']);
      const dtype = tracedType(String(attrs['dtype'] ?? 'int32'), 'OneHot');
      return {
        outputs: [{ shape: [...at(inputs, 0).shape, depth], dtype }],
        attrs: { depth, on: Number(attrs['onValue'] ?? 1), off: Number(attrs['offValue'] ?? 0) },
      };
    },
  },
};
