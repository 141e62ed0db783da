import { sizeOfShape } from '@mimlab/core';
import type { GraphType } from '../tensorflow/data-types.js';
import type { TracedNode } from '../trace/recording.js';
import type { Ref } from './graph-builder.js';

const PRODUCTS = new Set(['BatchMatMul', '_FusedMatMul']);
/** Kernels that only move elements: they keep the type of what they get. */
const MOVEMENT = new Set(['Reshape', 'Transpose', 'Slice', 'Concat', 'SplitV', 'Pack', 'Unpack', 'PadV2', 'Tile', 'Reverse', 'GatherV2']);
/** Arithmetic of activations and of the gradients through them. */
const BINARY = new Set(['Add', 'Sub', 'Multiply', 'RealDiv', 'Maximum', 'Minimum']);
/** Also what computes in float32 inside and rounds only its results. */
const UNARY = new Set(['Neg', 'Abs', 'Square', 'Exp', 'Erf', 'Tanh', 'Relu', 'MimGelu', 'MimAttention', 'MimAttentionGrad']);

const isFloat = (ref: Ref): boolean => ref.type === 'float32' || ref.type === 'bfloat16';

/**
 * Type in which a float operation runs under precision bf16 (engine specification, section 2.3): matrix products and
 * what stands between them in bfloat16; norms, softmax, residual sums, reductions, loss and everything else in float32.
 * An elementwise operation follows its operands of full size, so that adding a bfloat16 branch to a float32 residual
 * stays float32.
 */
export function bf16Type(node: TracedNode, inputs: readonly Ref[]): GraphType {
  const [output] = node.outputs;
  const floats = inputs.filter(isFloat);
  const all = floats.length > 0 && floats.every(({ type }) => type === 'bfloat16');
  if (PRODUCTS.has(node.kernel)) {
    // A product with a single column is a weighted row sum of a norm: nothing to gain, digits to lose.
    return output?.shape.at(-1) === 1 ? 'float32' : 'bfloat16';
  }
  if (MOVEMENT.has(node.kernel) || UNARY.has(node.kernel)) return all ? 'bfloat16' : 'float32';
  if (BINARY.has(node.kernel)) {
    const size = sizeOfShape(output?.shape ?? []);
    const full = inputs.filter((_, index) => sizeOfShape(node.inputs[index]?.shape ?? []) === size);
    return (full.length > 0 ? full : floats).every(({ type }) => type === 'bfloat16') ? 'bfloat16' : 'float32';
  }
  return 'float32';
}

/** Softmax computes in float32; its result goes back to bfloat16 where its input came from there. */
export const returnsBf16 = (node: TracedNode, inputs: readonly Ref[]): boolean => node.kernel === 'Softmax' && inputs[0]?.type === 'bfloat16';
