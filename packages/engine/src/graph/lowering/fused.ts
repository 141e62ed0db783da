import { ofFloat } from '../attributes.js';
import type { Ref } from '../graph-builder.js';
import { T, type Lowering, type LoweringTable } from './lowering.js';

/** One operation of the native library with several outputs of one type. */
const outputsOf = (name: string, count: number, type: Ref['type']): readonly Ref[] => Array.from({ length: count }, (_, i) => ({ name: i === 0 ? name : `${name}:${i}`, type }));

const gelu: Lowering = ({ graph, inputs, type }) => outputsOf(graph.node('MimlabGelu', inputs, T(type)), 2, type);

const layerNorm: Lowering = ({ graph, node, inputs, type }) =>
  outputsOf(graph.node('MimlabLayerNorm', inputs, { epsilon: ofFloat(Number(node.attrs['epsilon'])) }), 3, type);

const layerNormGrad: Lowering = ({ graph, inputs, type }) => outputsOf(graph.node('MimlabLayerNormGrad', inputs, {}), 3, type);

const columnSums: Lowering = ({ graph, inputs, type }) => [graph.ref('MimlabColumnSums', type, inputs, {})];

/** Recordings have these kernels only where the native library is loaded. */
export const FUSED_LOWERING: LoweringTable = {
  MimGelu: gelu,
  MimLayerNorm: layerNorm,
  MimLayerNormGrad: layerNormGrad,
  MimColumnSums: columnSums,
};
