import { EngineError, sizeOfShape, type MacParts } from '@mimlab/core';
import type { Recording, TracedNode, TracedValue } from './recording.js';

const shapeOf = (value: TracedValue | undefined, node: TracedNode): readonly number[] => {
  if (value === undefined) throw new EngineError('an input is missing', { place: node.kernel });
  return value.shape;
};

/** Multiply-accumulates of one operation; 0 for everything that is neither matrix product nor convolution. */
function macsOf(node: TracedNode): number {
  const [first, second] = node.inputs;
  const output = sizeOfShape(shapeOf(node.outputs[0], node));
  switch (node.kernel) {
    case 'BatchMatMul':
    case '_FusedMatMul': {
      const a = shapeOf(first, node);
      return output * (a[a.length - (node.attrs['transposeA'] === true ? 2 : 1)] as number);
    }
    case 'MimAttention':
      // Scores and their product with v: every output element meets all tokens of its sequence in both.
      return 2 * output * Number(node.attrs['tokens']);
    case 'Conv2D': {
      const [height = 0, width = 0, channels = 0] = shapeOf(second, node);
      return output * height * width * channels;
    }
    case 'DepthwiseConv2dNative': {
      const [height = 0, width = 0] = shapeOf(second, node);
      return output * height * width;
    }
    default:
      return 0;
  }
}

/**
 * Multiply-accumulates of the forward pass, part by part: matrix products, batched ones included, and convolutions.
 * Operations outside any part are counted under the empty name. The counts are of the whole batch that was traced.
 */
export function countMacs(recording: Recording): MacParts {
  const parts: Record<string, number> = {};
  for (const node of recording.nodes) {
    if (node.pass !== 'forward') continue;
    const macs = macsOf(node);
    if (macs > 0) parts[node.part] = (parts[node.part] ?? 0) + macs;
  }
  return parts;
}
