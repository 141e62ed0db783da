import { BinaryWriter } from '@bufbuild/protobuf/wire';
import type { GraphType } from '../tensorflow/data-types.js';
import { ofTensor, ofType, tag, type Attribute } from './attributes.js';

/** An output of a node, `NODE` or `NODE:INDEX`, and its element type. */
export interface Ref {
  readonly name: string;
  readonly type: GraphType;
}

/**
 * Operations that are chained by control edges in the order of the trace. Without that order TensorFlow starts whatever
 * is ready, and activations of many blocks are alive together; chaining every operation costs time and gains nothing.
 */
const HEAVY: ReadonlySet<string> = new Set([
  'MatMul', '_FusedMatMul', 'BatchMatMulV2', 'Sum', 'Softmax', 'Conv2D', 'Conv2DBackpropInput', 'Conv2DBackpropFilter',
  'DepthwiseConv2dNative', 'DepthwiseConv2dNativeBackpropInput', 'DepthwiseConv2dNativeBackpropFilter',
  'MimlabAdamw', 'MimlabAttention', 'MimlabAttentionGrad', 'MimlabColumnSums', 'MimlabGelu', 'MimlabLayerNorm', 'MimlabLayerNormGrad', 'MimlabProduct', 'MimlabProductGelu',
  'ResourceApplyAdam', 'AssignSubVariableOp', 'AssignAddVariableOp', 'AssignVariableOp',
]); // prettier-ignore

/** Builds a serialised tensorflow.GraphDef node by node. */
export interface GraphBuilder {
  /** Adds a node and gives its name. `control`: nodes that must have run before. */
  node(op: string, inputs: readonly Ref[], attrs: Readonly<Record<string, Attribute>>, control?: readonly string[]): string;
  /** The same for nodes with one output of a known type. */
  ref(op: string, type: GraphType, inputs: readonly Ref[], attrs: Readonly<Record<string, Attribute>>, control?: readonly string[]): Ref;
  constant(values: ArrayLike<number>, shape: readonly number[], type: GraphType): Ref;
  scalar(value: number, type?: GraphType): Ref;
  /** int32 vector. */
  ints(values: readonly number[]): Ref;
  cast(x: Ref, type: GraphType): Ref;
  /**
   * Every operation that `build` adds waits for the heavy ones before it. For what repeats an earlier computation: its
   * inputs are there long before, and TensorFlow would start it, or merge the two, at once.
   */
  inOrder<T>(build: () => T): T;
  bytes(): Uint8Array;
}

/**
 * @param prefix put before every node's name; it must be new to the session and not start with an underscore.
 * @param ordered chain heavy operations in the order in which they are added.
 */
export function createGraphBuilder(prefix: string, ordered = true): GraphBuilder {
  const writer = new BinaryWriter();
  const constants = new Map<string, Ref>();
  const casts = new Map<string, Ref>();
  let count = 0;
  let lastHeavy: string | undefined;
  let waiting = false;

  const node: GraphBuilder['node'] = (op, inputs, attrs, control = []) => {
    const name = `${prefix}/${op.replace(/^_/, '')}_${count++}`;
    const before = new Set(control);
    const heavy = ordered && HEAVY.has(op);
    if ((heavy || (waiting && op !== 'Const')) && lastHeavy !== undefined) before.add(lastHeavy);
    if (heavy) lastHeavy = name;
    writer.uint32(tag(1, 2)).fork().uint32(tag(1, 2)).string(name).uint32(tag(2, 2)).string(op);
    for (const input of inputs) writer.uint32(tag(3, 2)).string(input.name);
    for (const earlier of before) writer.uint32(tag(3, 2)).string(`^${earlier}`);
    for (const [key, attribute] of Object.entries(attrs)) {
      attribute(writer.uint32(tag(5, 2)).fork().uint32(tag(1, 2)).string(key).uint32(tag(2, 2)).fork()).join().join();
    }
    writer.join();
    return name;
  };

  const builder: GraphBuilder = {
    node,
    ref: (op, type, inputs, attrs, control) => ({ name: node(op, inputs, attrs, control), type }),
    constant(values, shape, type) {
      const bytes = elementBytes(values, type);
      // Equal short constants (axes, shapes, scalars) occur by the hundred.
      const key = values.length <= 64 ? `${type}[${shape.join()}]${bytes.toString()}` : undefined;
      const known = key === undefined ? undefined : constants.get(key);
      if (known !== undefined) return known;
      const made = builder.ref('Const', type, [], { dtype: ofType(type), value: ofTensor(bytes, shape, type) });
      if (key !== undefined) constants.set(key, made);
      return made;
    },
    scalar: (value, type = 'float32') => builder.constant([value], [], type),
    ints: (values) => builder.constant(values, [values.length], 'int32'),
    cast(x, type) {
      if (x.type === type) return x;
      const key = `${x.name}>${type}`;
      const known = casts.get(key);
      if (known !== undefined) return known;
      const made = builder.ref('Cast', type, [x], { SrcT: ofType(x.type), DstT: ofType(type) });
      casts.set(key, made);
      return made;
    },
    inOrder(build) {
      waiting = true;
      try {
        return build();
      } finally {
        waiting = false;
      }
    },
    bytes: () => {
      // versions: producer, min_consumer. The latter is all that a library checks against its own number.
      writer.uint32(tag(4, 2)).fork().uint32(tag(1, 0)).int32(1882).uint32(tag(2, 0)).int32(12).join();
      return writer.finish();
    },
  };
  return builder;
}

function elementBytes(values: ArrayLike<number>, type: GraphType): Uint8Array {
  switch (type) {
    case 'float32':
      return new Uint8Array(Float32Array.from(values).buffer);
    case 'int32':
      return new Uint8Array(Int32Array.from(values).buffer);
    case 'bfloat16':
      return new Uint8Array(Uint16Array.from(values, roundToBfloat16).buffer);
    default:
      return Uint8Array.from(values);
  }
}

/** The upper half of a float32, rounded to nearest even. */
function roundToBfloat16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] as number;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}
