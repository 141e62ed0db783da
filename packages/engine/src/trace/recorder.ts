import { currentBlock, currentPart, EngineError, sizeOfShape } from '@mimlab/core';
import type { NodeAttrs, TracedNode, TracedType, TracedValue, ValueSpec } from './recording.js';

/** Collects the operations of one trace. */
export interface Recorder {
  readonly nodes: readonly TracedNode[];
  /** Which pass the operations called from now on belong to. */
  pass: TracedNode['pass'];
  value(spec: ValueSpec): TracedValue;
  constant(data: ArrayLike<number>, spec: ValueSpec): TracedValue;
  operation(kernel: string, inputs: readonly TracedValue[], attrs: NodeAttrs, outputs: readonly ValueSpec[]): readonly TracedValue[];
}

export function createRecorder(): Recorder {
  const nodes: TracedNode[] = [];
  let count = 0;
  const blocks = new Map<number, number>();
  /** Core counts blocks through the life of the process; a recording counts its own. */
  const blockAtHand = (): { readonly block?: number } => {
    const block = currentBlock();
    if (block === 0) return {};
    if (!blocks.has(block)) blocks.set(block, blocks.size + 1);
    return { block: blocks.get(block) as number };
  };
  const value = (spec: ValueSpec): TracedValue => ({ id: count++, shape: [...spec.shape], dtype: spec.dtype });
  const recorder: Recorder = {
    nodes,
    pass: 'forward',
    value,
    constant(data, spec) {
      const output = value(spec);
      nodes.push({ kernel: 'Const', inputs: [], attrs: {}, outputs: [output], part: currentPart(), pass: recorder.pass, data: elements(data, spec) });
      return output;
    },
    operation(kernel, inputs, attrs, specs) {
      const outputs = specs.map(value);
      nodes.push({ kernel, inputs, attrs, outputs, part: currentPart(), pass: recorder.pass, ...blockAtHand() });
      return outputs;
    },
  };
  return recorder;
}

/** A copy in the type that holds the elements: the caller may reuse its array. */
export function elements(data: ArrayLike<number>, { shape, dtype }: ValueSpec): Float32Array | Int32Array | Uint8Array {
  if (data.length !== sizeOfShape(shape)) {
    throw new EngineError(`a constant of shape [${shape.join(', ')}] has ${data.length} elements`, { place: 'trace' });
  }
  if (dtype === 'float32') return Float32Array.from(data);
  return dtype === 'int32' ? Int32Array.from(data) : Uint8Array.from(data, Number);
}

/** @throws EngineError if tfjs' type has no place in a step. */
export function tracedType(dtype: string, kernel: string): TracedType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new EngineError(`elements of type ${dtype} cannot be compiled`, {
    place: kernel,
    remedy: 'A step works on float32, int32 and bool.',
  });
}
