import { sameShape } from '../trace/kernels/kernel-spec.js';
import type { Recording, TracedNode, TracedValue } from '../trace/recording.js';

/** Tiles of the native product are this wide at most; below half of one TensorFlow's own product wastes less. */
const SMALLEST_SIDE = 8;

/** A product with what has been folded into it so far. `last`: the recorded operation whose place it takes. */
interface Fused {
  readonly node: TracedNode;
  readonly last: TracedNode;
}

interface Uses {
  readonly of: ReadonlyMap<TracedValue, readonly TracedNode[]>;
  readonly outputs: ReadonlySet<TracedValue>;
  readonly taken: ReadonlySet<TracedNode>;
}

/**
 * Turns products of plain float32 matrices into those of the native library: `MimProduct`, with inputs a, b and then, as
 * its attributes say, a bias for each column, a factor and an addend for each element; or `MimProductGelu` with inputs a,
 * b, bias and GELU's two outputs. What stands behind a product and is the only reader of its result becomes part of it.
 * A product that makes the gradient of NAME gives half its sum of squares as well: output `square/NAME` of the recording.
 */
export function fuseProducts(recording: Recording): Recording {
  const of = new Map<TracedValue, TracedNode[]>();
  for (const node of recording.nodes) for (const input of node.inputs) of.set(input, [...(of.get(input) ?? []), node]);
  const uses = { of, outputs: new Set(Object.values(recording.outputs)), taken: new Set<TracedNode>() };
  const byLast = new Map<TracedNode, TracedNode>();
  for (const node of recording.nodes) {
    const product = nativeProduct(node);
    if (product === undefined) continue;
    let fused: Fused | undefined = { node: product, last: node };
    for (let next: Fused | undefined = fused; next !== undefined; next = extended(fused, uses)) {
      fused = next;
      uses.taken.add(next.last);
    }
    byLast.set(fused.last, fused.node);
  }
  const nodes = recording.nodes.flatMap((node) => {
    const fused = byLast.get(node);
    return fused !== undefined ? [fused] : uses.taken.has(node) ? [] : [node];
  });
  return withSquares({ ...recording, nodes });
}

function withSquares(recording: Recording): Recording {
  const names = new Map(Object.entries(recording.outputs).map(([name, value]) => [value, name]));
  const squares: Record<string, TracedValue> = {};
  let id = 1 + recording.nodes.reduce((largest, { outputs }) => Math.max(largest, ...outputs.map((value) => value.id)), 0);
  const nodes = recording.nodes.map((node) => {
    const name = names.get(node.outputs[0] as TracedValue);
    if (node.kernel !== 'MimProduct' || name === undefined || !name.startsWith('grad/')) return node;
    const square: TracedValue = { id: id++, shape: [], dtype: 'float32' };
    squares[`square/${name.slice('grad/'.length)}`] = square;
    return { ...node, attrs: { ...node.attrs, square: true }, outputs: [...node.outputs, square] };
  });
  return { ...recording, nodes, outputs: { ...recording.outputs, ...squares } };
}

function nativeProduct(node: TracedNode): TracedNode | undefined {
  const [a, b, bias] = node.inputs;
  const [output] = node.outputs;
  const biased = node.kernel === '_FusedMatMul' && bias !== undefined;
  if (node.kernel !== 'BatchMatMul' && !(biased && node.attrs['activation'] === 'linear' && bias.shape.length === 1)) return undefined;
  if (a?.shape.length !== 2 || b?.shape.length !== 2 || output === undefined) return undefined;
  const inner = a.shape[node.attrs['transposeA'] === true ? 0 : 1] as number;
  if (output.dtype !== 'float32' || Math.min(inner, ...output.shape) < SMALLEST_SIDE) return undefined;
  const { transposeA, transposeB } = node.attrs as Record<'transposeA' | 'transposeB', boolean>;
  return { ...node, kernel: 'MimProduct', attrs: { transposeA, transposeB, bias: biased, factor: false, addend: false } };
}

/** The product with the next operation folded in: a bias first, then GELU, or a factor and then an addend. */
function extended({ node, last }: Fused, { of, outputs, taken }: Uses): Fused | undefined {
  const result = node.outputs[0] as TracedValue;
  const [reader, ...others] = of.get(result) ?? [];
  if (node.kernel !== 'MimProduct' || reader === undefined || others.length > 0 || outputs.has(result) || taken.has(reader) || reader.pass !== node.pass) return undefined;
  const { bias, factor, addend } = node.attrs;
  if (reader.kernel === 'MimGelu' && bias === true && factor === false && addend === false && reader.inputs[0]?.shape.length === 2) {
    const { transposeA, transposeB } = node.attrs as Record<'transposeA' | 'transposeB', boolean>;
    return { node: { ...node, kernel: 'MimProductGelu', attrs: { transposeA, transposeB }, outputs: reader.outputs }, last: reader };
  }
  const other = reader.inputs.find((input) => input !== result);
  const output = reader.outputs[0];
  if (other === undefined || output === undefined || last === reader || !sameShape(output.shape, result.shape)) return undefined;
  const withInput = (role: 'bias' | 'factor' | 'addend'): Fused => ({
    node: { ...node, inputs: [...node.inputs, other], attrs: { ...node.attrs, [role]: true }, outputs: reader.outputs },
    last: reader,
  });
  if (reader.kernel === 'Add' && other.shape.length === 1 && other.shape[0] === result.shape[1]) {
    return bias === false && factor === false && addend === false ? withInput('bias') : undefined;
  }
  if (!sameShape(other.shape, result.shape) || addend === true) return undefined;
  if (reader.kernel === 'Multiply') return factor === false ? withInput('factor') : undefined;
  return reader.kernel === 'Add' ? withInput('addend') : undefined;
}
