import { sizeOfShape } from '@mimlab/core';
import type { Recording, TracedNode, TracedValue } from '../trace/recording.js';
import { foldNode } from './fold-constants.js';
import { asFill, createExpansions } from './uniform-constants.js';

/** Constants longer than this are not computed while compiling: their bytes would only swell the graph. */
const LARGEST_FOLDED = 65_536;

/** A key that equal computations share; undefined for what must not be merged. */
function computationKey(node: TracedNode): string | undefined {
  const output = node.outputs[0];
  const shape = node.outputs.map((value) => `${value.dtype}[${value.shape.join()}]`).join();
  if (node.data !== undefined) return node.data.length > 1024 ? undefined : `Const ${shape} ${node.data.join()}`;
  if (output === undefined) return undefined;
  // A merge across passes would keep memory alive from the forward to the backward pass that the author chose to recompute.
  const pass = node.inputs.length === 0 ? '' : node.pass;
  return `${node.kernel} ${pass} ${shape} ${JSON.stringify(node.attrs)} ${node.inputs.map(({ id }) => id).join()}`;
}

/**
 * The same function with constants folded, equal computations merged and everything dropped that `wanted` outputs do
 * not need. The order of the remaining operations is kept.
 */
export function optimizeRecording(recording: Recording, wanted: readonly string[]): Recording {
  const merged = new Map<TracedValue, TracedValue>();
  const constants = new Map<TracedValue, TracedNode>();
  const known = new Map<string, TracedNode>();
  const nodes: TracedNode[] = [];
  const current = (value: TracedValue): TracedValue => merged.get(value) ?? value;

  const expansions = createExpansions();
  let ids = 1 + recording.nodes.reduce((largest, { outputs }) => Math.max(largest, ...outputs.map(({ id }) => id)), 0);
  const freshId = (): number => ids++;

  for (const recorded of recording.nodes) {
    let node = expansions.unexpanded({ ...recorded, inputs: recorded.inputs.map(current) });
    const [output] = node.outputs;
    if (node.data === undefined && output !== undefined && sizeOfShape(output.shape) <= LARGEST_FOLDED) {
      const inputs = node.inputs.map((input) => constants.get(input));
      if (inputs.every((input) => input !== undefined)) node = foldNode(node, inputs) ?? node;
    }
    if (node.data !== undefined && output !== undefined) constants.set(output, node);
    node = asFill(node);
    const same = expansions.same(node);
    if (same !== undefined && output !== undefined) {
      merged.set(output, same);
      continue;
    }
    const key = computationKey(node);
    const equal = key === undefined ? undefined : known.get(key);
    if (equal !== undefined) {
      node.outputs.forEach((value, index) => merged.set(value, equal.outputs[index] as TracedValue));
      continue;
    }
    if (key !== undefined) known.set(key, node);
    const smaller = expansions.note(node, freshId);
    if (smaller !== undefined) nodes.push(smaller);
    nodes.push(node);
  }

  const outputs: Record<string, TracedValue> = {};
  for (const name of wanted) {
    const value = recording.outputs[name];
    if (value !== undefined) outputs[name] = current(value);
  }
  const needed = new Set(Object.values(outputs));
  const live: TracedNode[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((value) => needed.has(value))) continue;
    for (const input of node.inputs) needed.add(input);
    live.push(node);
  }
  const inputs = Object.fromEntries(Object.entries(recording.inputs).filter(([, { value }]) => needed.has(value)));
  return { inputs, nodes: live.reverse(), outputs };
}

/**
 * Folds the addition of a bias into the matrix product before it (_FusedMatMul): one pass over the result less.
 * Only for plain matrices, where the product is used by nothing else and the bias is there before the product.
 */
export function fuseBias(recording: Recording): Recording {
  const uses = new Map<TracedValue, TracedNode[]>();
  for (const node of recording.nodes) for (const input of node.inputs) uses.set(input, [...(uses.get(input) ?? []), node]);
  const outputs = new Set(Object.values(recording.outputs));
  const available = new Set(Object.values(recording.inputs).map(({ value }) => value));
  const folded = new Set<TracedNode>();
  const nodes: TracedNode[] = [];
  for (const node of recording.nodes) {
    for (const value of node.outputs) available.add(value);
    if (folded.has(node)) continue;
    const addition = biasAddition(node, uses, outputs, available);
    if (addition === undefined) {
      nodes.push(node);
      continue;
    }
    folded.add(addition.node);
    nodes.push({
      ...node,
      kernel: '_FusedMatMul',
      inputs: [...node.inputs, addition.bias],
      attrs: { ...node.attrs, activation: 'linear', alpha: 0 },
      outputs: addition.node.outputs,
    });
  }
  return { ...recording, nodes };
}

function biasAddition(
  node: TracedNode,
  uses: ReadonlyMap<TracedValue, readonly TracedNode[]>,
  outputs: ReadonlySet<TracedValue>,
  available: ReadonlySet<TracedValue>,
): { readonly node: TracedNode; readonly bias: TracedValue } | undefined {
  const [product] = node.outputs;
  if (node.kernel !== 'BatchMatMul' || product === undefined || outputs.has(product)) return undefined;
  if (node.inputs.some(({ shape }) => shape.length !== 2) || product.dtype !== 'float32') return undefined;
  const [addition, ...others] = uses.get(product) ?? [];
  if (addition?.kernel !== 'Add' || others.length > 0) return undefined;
  const bias = addition.inputs.find((input) => input !== product);
  if (bias === undefined || bias.shape.length !== 1 || bias.shape[0] !== product.shape[1] || !available.has(bias)) return undefined;
  return { node: addition, bias };
}
