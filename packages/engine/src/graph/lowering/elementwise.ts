import { BINARY, COMPARISON, TESTS, UNARY } from '../../trace/kernels/elementwise.js';
import { ofInt, ofType } from '../attributes.js';
import type { Ref } from '../graph-builder.js';
import { direct, input, outputShape, T, type Lowering, type LoweringContext, type LoweringTable } from './lowering.js';

/** tfjs kernels whose TensorFlow operation has another name. */
const RENAMED: Readonly<Record<string, string>> = { Add: 'AddV2', Multiply: 'Mul', Mod: 'FloorMod' };

/** Operations that take no T because they work on truth values alone. */
const UNTYPED = new Set(['LogicalAnd', 'LogicalOr', 'LogicalNot']);

const plain = (kernel: string): Lowering =>
  UNTYPED.has(kernel) ? ({ graph, inputs, type }) => [graph.ref(kernel, type, inputs, {})] : direct(RENAMED[kernel] ?? kernel);

/** The values of x where `condition`, else those of y. */
const select = ({ graph, type }: LoweringContext, condition: Ref, x: Ref, y: Ref): Ref => graph.ref('SelectV2', type, [condition, x, y], T(type));

/** NaN stays NaN, as in tfjs. */
const step: Lowering = (context) => {
  const { graph, node, type } = context;
  const x = input(context, 0);
  const positive = graph.ref('Greater', 'bool', [x, graph.scalar(0, type)], T(type));
  const steps = select(context, positive, graph.scalar(1, type), graph.scalar(Number(node.attrs['alpha']), type));
  return [select(context, graph.ref('IsNan', 'bool', [x], T(type)), x, steps)];
};

const fill: Lowering = (context) => {
  const { graph, node, type } = context;
  const value = graph.scalar(Number(node.attrs['value']), type);
  return [graph.ref('Fill', type, [graph.ints(outputShape(context)), value], { ...T(type), index_type: ofType('int32') })];
};

const each = (names: readonly string[], lowering: (name: string) => Lowering): LoweringTable =>
  Object.fromEntries(names.map((name) => [name, lowering(name)]));

export const ELEMENTWISE_LOWERING: LoweringTable = {
  ...each(UNARY, plain),
  ...each(TESTS, plain),
  ...each(BINARY, plain),
  ...each(COMPARISON, plain),
  Select: (context) => [select(context, input(context, 0), input(context, 1), input(context, 2))],
  Cast: (context) => [context.graph.cast(input(context, 0), context.type)],
  Step: step,
  LeakyRelu: (context) => {
    const { graph, node, type } = context;
    const x = input(context, 0);
    // Not the LeakyRelu operation: it lacks int32 and its slope is rounded to float in another place than tfjs rounds it.
    const scaled = graph.ref('Mul', type, [x, graph.scalar(Number(node.attrs['alpha']), type)], T(type));
    return [select(context, graph.ref('Less', 'bool', [x, graph.scalar(0, type)], T(type)), scaled, x)];
  },
  ClipByValue: (context) => {
    const { graph, node, type } = context;
    const [low, high] = [graph.scalar(Number(node.attrs['low']), type), graph.scalar(Number(node.attrs['high']), type)];
    return [graph.ref('Maximum', type, [graph.ref('Minimum', type, [input(context, 0), high], T(type)), low], T(type))];
  },
  Fill: fill,
  OneHot: (context) => {
    const { graph, node, type } = context;
    const { depth, on, off } = node.attrs;
    const inputs = [input(context, 0), graph.scalar(Number(depth), 'int32'), graph.scalar(Number(on), type), graph.scalar(Number(off), type)];
    return [graph.ref('OneHot', type, inputs, { ...T(type), TI: ofType('int32'), axis: ofInt(-1) })];
  },
};
