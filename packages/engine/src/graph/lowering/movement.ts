import { ofInt, ofString, ofType } from '../attributes.js';
import type { Ref } from '../graph-builder.js';
import { input, outputShape, T, type Lowering, type LoweringContext, type LoweringTable } from './lowering.js';

const INT32 = ofType('int32');

const axisRef = ({ graph, node }: LoweringContext): Ref => graph.scalar(Number(node.attrs['axis']), 'int32');

const pad =
  (mirror: boolean): Lowering =>
  (context) => {
    const { graph, node, type } = context;
    const rows = node.attrs['paddings'] as number[][];
    const paddings = graph.constant(rows.flat(), [rows.length, 2], 'int32');
    const attrs = { ...T(type), Tpaddings: INT32 };
    if (mirror) {
      return [graph.ref('MirrorPad', type, [input(context, 0), paddings], { ...attrs, mode: ofString(String(node.attrs['mode']).toUpperCase()) })];
    }
    return [graph.ref('PadV2', type, [input(context, 0), paddings, graph.scalar(Number(node.attrs['value']), type)], attrs)];
  };

/** One node with several outputs, `NODE:0`, `NODE:1`, ... */
const several = (name: string, context: LoweringContext): Ref[] =>
  context.node.outputs.map((_, index) => ({ name: `${name}:${index}`, type: context.type }));

export const MOVEMENT_LOWERING: LoweringTable = {
  Reshape: (context) => {
    const { graph, type } = context;
    return [graph.ref('Reshape', type, [input(context, 0), graph.ints(outputShape(context))], { ...T(type), Tshape: INT32 })];
  },
  Transpose: (context) => {
    const { graph, node, type } = context;
    return [graph.ref('Transpose', type, [input(context, 0), graph.ints(node.attrs['perm'] as number[])], { ...T(type), Tperm: INT32 })];
  },
  Slice: (context) => {
    const { graph, node, type } = context;
    const bounds = [graph.ints(node.attrs['begin'] as number[]), graph.ints(node.attrs['size'] as number[])];
    return [graph.ref('Slice', type, [input(context, 0), ...bounds], { ...T(type), Index: INT32 })];
  },
  Concat: (context) => {
    const { graph, inputs, type } = context;
    if (inputs.length === 1) return [input(context, 0)];
    return [graph.ref('ConcatV2', type, [...inputs, axisRef(context)], { ...T(type), N: ofInt(inputs.length), Tidx: INT32 })];
  },
  SplitV: (context) => {
    const { graph, node, type } = context;
    const sizes = graph.ints(node.attrs['sizes'] as number[]);
    const attrs = { ...T(type), num_split: ofInt(node.outputs.length), Tlen: INT32 };
    return several(graph.node('SplitV', [input(context, 0), sizes, axisRef(context)], attrs), context);
  },
  Pack: ({ graph, node, inputs, type }) => [
    graph.ref('Pack', type, inputs, { ...T(type), N: ofInt(inputs.length), axis: ofInt(Number(node.attrs['axis'])) }),
  ],
  Unpack: (context) => {
    const { graph, node, type } = context;
    if (node.outputs.length === 0) return [];
    const attrs = { ...T(type), num: ofInt(node.outputs.length), axis: ofInt(Number(node.attrs['axis'])) };
    return several(graph.node('Unpack', [input(context, 0)], attrs), context);
  },
  PadV2: pad(false),
  MirrorPad: pad(true),
  Tile: (context) => {
    const { graph, node, type } = context;
    return [graph.ref('Tile', type, [input(context, 0), graph.ints(node.attrs['reps'] as number[])], { ...T(type), Tmultiples: INT32 })];
  },
  Reverse: (context) => {
    const { graph, node, type } = context;
    return [graph.ref('ReverseV2', type, [input(context, 0), graph.ints(node.attrs['axes'] as number[])], { ...T(type), Tidx: INT32 })];
  },
  GatherV2: (context) => {
    const { graph, node, type } = context;
    const attrs = { ...T(type, 'Tparams'), Tindices: INT32, Taxis: INT32, batch_dims: ofInt(Number(node.attrs['batchDims'])) };
    return [graph.ref('GatherV2', type, [input(context, 0), input(context, 1), axisRef(context)], attrs)];
  },
  UnsortedSegmentSum: (context) => {
    const { graph, node, type } = context;
    const inputs = [input(context, 0), input(context, 1), graph.scalar(Number(node.attrs['segments']), 'int32')];
    return [graph.ref('UnsortedSegmentSum', type, inputs, { ...T(type), Tindices: INT32, Tnumsegments: INT32 })];
  },
};
