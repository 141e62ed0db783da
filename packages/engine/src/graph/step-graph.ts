import type { Precision, Recompute, RunOptions, StepDefinition } from '../contract.js';
import type { TracedValue } from '../trace/recording.js';
import type { StepRecording } from '../trace/trace-step.js';
import { ofInt, ofShape, ofType } from './attributes.js';
import { createGraphBuilder, type GraphBuilder, type Ref } from './graph-builder.js';
import { lowerRecording } from './lower-recording.js';
import { fuseProducts } from './fuse-products.js';
import { fuseBias, optimizeRecording } from './optimize-recording.js';
import { float } from './float-nodes.js';
import { recomputeForward } from './recompute/recompute.js';
import { buildUpdates, type GradientRefs } from './update-graph.js';
import type { UpdateGroups } from './update-rules.js';
import { variableNode, type VariableNode } from './variables.js';

/** What a graph computes besides the loss. `diagnose` changes no state and gives the norm of each gradient. */
export interface StepVariant {
  readonly phase: NonNullable<RunOptions['phase']> | 'diagnose';
  readonly outputs: readonly string[];
}

export interface StepGraphOptions extends StepVariant {
  /** Prefix of all nodes, new to the session. */
  readonly prefix: string;
  readonly definition: StepDefinition;
  readonly recording: StepRecording;
  readonly groups: UpdateGroups;
  readonly precision: Precision;
  readonly recompute: Recompute;
  /** Fold biases into products; XLA does that itself and does not know the folded operation. */
  readonly fuse: boolean;
  /** Multiply matrices in the native library. */
  readonly nativeProducts: boolean;
  readonly variable: (name: string) => { readonly sharedName: string; readonly shape: readonly number[] };
}

/** A graph for one variant of a step, and the names to feed, fetch and run. */
export interface StepGraph {
  readonly graphDef: Uint8Array;
  /** Inputs of the step that are fed; the others are not used. */
  readonly inputs: readonly { readonly name: string; readonly node: string }[];
  /** Node that takes the update scalars. */
  readonly scalars?: string;
  /** One vector, named value by value; absent where the step has no metric. */
  readonly metrics?: { readonly node: string; readonly names: readonly string[] };
  readonly outputs: readonly { readonly name: string; readonly node: string }[];
  readonly targets: readonly string[];
}

export function buildStepGraph(options: StepGraphOptions): StepGraph {
  const { definition, phase, recording } = options;
  const norms = options.outputs.includes('norms') && definition.optimize !== undefined;
  const outputNames = options.outputs.filter((name) => !(norms && name === 'norms'));
  const all = Object.keys(recording.outputs);
  const metricNames = phase === 'diagnose' ? [] : all.filter((name) => name.startsWith('metric/'));
  const gradNames = all.filter((name) => name.startsWith('grad/'));
  const assignNames = phase === 'diagnose' ? [] : all.filter((name) => name.startsWith('assign/'));
  const wanted = [...('loss' in recording.outputs ? ['loss'] : []), ...metricNames, ...outputNames.map((name) => `output/${name}`), ...assignNames, ...gradNames];

  const optimized = optimizeRecording(recording, wanted);
  // What is computed twice has two readers, so products take their readers in only after that is known.
  const recomputed = recomputeForward(options.fuse ? fuseBias(optimized) : optimized, options.recompute);
  const lowered = options.nativeProducts ? fuseProducts(recomputed) : recomputed;
  const graph = createGraphBuilder(options.prefix);
  const variables = new Map<string, VariableNode>();
  const variable = (name: string): VariableNode => {
    const { sharedName, shape } = options.variable(name);
    const known = variables.get(name) ?? variableNode(graph, sharedName, shape);
    variables.set(name, known);
    return known;
  };

  const inputs: { name: string; node: string }[] = [];
  const reads: Ref[] = [];
  const gradients = collectGradients(graph, lowered.outputs, gradNames);
  const results = lowerRecording(graph, lowered, {
    precision: options.precision,
    bind(key) {
      const name = key.slice(key.indexOf('/') + 1);
      if (key.startsWith('state/')) {
        const read = variable(name).read();
        reads.push(read);
        return read;
      }
      const { spec } = (recording.inputs[key] as NonNullable<(typeof recording.inputs)[string]>);
      const ref = graph.ref('Placeholder', spec.dtype, [], { dtype: ofType(spec.dtype), shape: ofShape(spec.shape) });
      inputs.push({ name, node: ref.name });
      return ref;
    },
    onValue: gradients.onValue,
  });

  const scalars = new Map<string, Ref>();
  if (results['loss'] !== undefined) scalars.set('loss', graph.cast(results['loss'], 'float32'));
  let fed: string | undefined;
  const targets: string[] = [];
  /** What new values of state wait for: whatever reads it, and the guard where there is one. */
  let before = reads.map(({ name }) => name);
  const outputs = outputNames.map((name) => ({ name, node: outputRef(graph, results[`output/${name}`] as Ref).name }));
  if (definition.optimize !== undefined && phase === 'diagnose') {
    for (const [name, { halfSquare }] of gradients.refs) scalars.set(name, halfSquare);
  } else if (definition.optimize !== undefined && phase !== 'diagnose') {
    const updates = buildUpdates({ graph, phase, optimize: definition.optimize, groups: options.groups, gradients: gradients.refs, reads, variable, norms, loss: results['loss'] as Ref });
    scalars.set('gradNorm', updates.gradNorm);
    fed = updates.scalars;
    before = [updates.guard];
    targets.push(...updates.targets);
    outputs.push(...updates.norms);
  }
  for (const name of assignNames) targets.push(variable(name.slice('assign/'.length)).assign(graph.cast(results[name] as Ref, 'float32'), before));
  for (const name of metricNames) scalars.set(name.slice('metric/'.length), graph.cast(results[name] as Ref, 'float32'));
  const packed = scalars.size === 0 ? undefined : graph.ref('Pack', 'float32', [...scalars.values()], { ...float, N: ofInt(scalars.size), axis: ofInt(0) });
  return {
    graphDef: graph.bytes(),
    inputs,
    outputs,
    targets,
    ...(fed === undefined ? {} : { scalars: fed }),
    ...(packed === undefined ? {} : { metrics: { node: packed.name, names: [...scalars.keys()] } }),
  };
}

/** Truth values leave the engine as int32, as from eager execution. */
const outputRef = (graph: GraphBuilder, ref: Ref): Ref => {
  const host = ref.type === 'bool' ? graph.cast(ref, 'int32') : ref;
  // An output that is an input or a variable gets a node of its own: feeds cannot be fetched.
  return graph.ref('Identity', host.type, [host], { T: ofType(host.type) });
};

/** Takes gradients down as they come, with half their sum of squares right behind them, while they are in the cache. */
function collectGradients(graph: GraphBuilder, outputs: Readonly<Record<string, TracedValue>>, names: readonly string[]) {
  const namesOf = new Map<TracedValue, string[]>();
  for (const name of names) {
    const value = outputs[name] as TracedValue;
    namesOf.set(value, [...(namesOf.get(value) ?? []), name.slice('grad/'.length)]);
  }
  const unordered = new Map<string, { readonly gradient: Ref; readonly halfSquare: Ref }>();
  const refs: GradientRefs = new Map();
  return {
    refs,
    onValue(value: TracedValue, ref: Ref): void {
      for (const name of namesOf.get(value) ?? []) {
        const gradient = graph.cast(ref, 'float32');
        unordered.set(name, { gradient, halfSquare: graph.ref('L2Loss', 'float32', [gradient], float) });
      }
      if (unordered.size < names.length || refs.size > 0) return;
      for (const name of names) {
        const short = name.slice('grad/'.length);
        refs.set(short, unordered.get(short) as { gradient: Ref; halfSquare: Ref });
      }
    },
  };
}

