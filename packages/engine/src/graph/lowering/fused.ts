import { ofBool, ofFloat, ofInt } from '../attributes.js';
import type { Ref } from '../graph-builder.js';
import { T, type Lowering, type LoweringContext, type LoweringTable } from './lowering.js';

/** One operation of the native library with several outputs of one type. */
const outputsOf = (name: string, count: number, type: Ref['type']): readonly Ref[] => Array.from({ length: count }, (_, i) => ({ name: i === 0 ? name : `${name}:${i}`, type }));

const gelu: Lowering = ({ graph, inputs, type }) => outputsOf(graph.node('MimlabGelu', inputs, T(type)), 2, type);

const layerNorm: Lowering = ({ graph, node, inputs, type }) =>
  outputsOf(graph.node('MimlabLayerNorm', inputs, { epsilon: ofFloat(Number(node.attrs['epsilon'])) }), 3, type);

const layerNormGrad: Lowering = ({ graph, inputs, type }) => outputsOf(graph.node('MimlabLayerNormGrad', inputs, {}), 3, type);

const columnSums: Lowering = ({ graph, inputs, type }) => [graph.ref('MimlabColumnSums', type, inputs, {})];

const attention =
  (op: string): Lowering =>
  ({ graph, node, inputs, type }) => [
    graph.ref(op, type, inputs, { ...T(type), tokens: ofInt(Number(node.attrs['tokens'])), heads: ofInt(Number(node.attrs['heads'])) }),
  ];

const flag = ({ node }: LoweringContext, name: string) => ofBool(node.attrs[name] === true);
const sides = (context: LoweringContext) => ({ transpose_a: flag(context, 'transposeA'), transpose_b: flag(context, 'transposeB') });

const product: Lowering = (context) => {
  const { graph, inputs, type } = context;
  const roles = { bias: flag(context, 'bias'), factor: flag(context, 'factor'), addend: flag(context, 'addend') };
  const attrs = { ...sides(context), ...roles, square: flag(context, 'square'), N: ofInt(inputs.length - 2) };
  return outputsOf(graph.node('MimlabProduct', inputs, attrs), context.node.outputs.length, type);
};

const productGelu: Lowering = (context) => outputsOf(context.graph.node('MimlabProductGelu', context.inputs, sides(context)), 2, context.type);

/** Recordings have these kernels only where the native library is loaded. */
export const FUSED_LOWERING: LoweringTable = {
  MimGelu: gelu,
  MimLayerNorm: layerNorm,
  MimLayerNormGrad: layerNormGrad,
  MimColumnSums: columnSums,
  MimAttention: attention('MimlabAttention'),
  MimAttentionGrad: attention('MimlabAttentionGrad'),
  MimProduct: product,
  MimProductGelu: productGelu,
};
