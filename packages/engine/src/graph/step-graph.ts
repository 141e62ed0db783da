import { sizeOfShape } from '@mimlab/core';
import type { Precision, Recompute, RunOptions, StepDefinition } from '../contract.js';
import type { Recording, TracedValue } from '../trace/recording.js';
import type { StepRecording } from '../trace/trace-step.js';
import { ofInt, ofShape, ofType } from './attributes.js';
import { createGraphBuilder, type GraphBuilder, type Ref } from './graph-builder.js';
import { lowerRecording } from './lower-recording.js';
import { fuseProducts } from './fuse-products.js';
import { fuseBias, optimizeRecording } from './optimize-recording.js';
import { float, unary } from './float-nodes.js';
import { recomputeForward } from './recompute/recompute.js';
import { buildUpdates, gradientNorm, meanGradients, type GradientRefs } from './update-graph.js';
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
  /** The native library is loaded: it updates parameters and multiplies float32 matrices. */
  readonly native: boolean;
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
  const { definition, phase, recording, native } = options;
  const { optimize } = definition;
  const norms = options.outputs.includes('norms') && optimize !== undefined;
  const outputNames = options.outputs.filter((name) => !(norms && name === 'norms'));
  const all = Object.keys(recording.outputs);
  const metricNames = phase === 'diagnose' ? [] : all.filter((name) => name.startsWith('metric/'));
  const gradNames = all.filter((name) => name.startsWith('grad/'));
  const assignNames = phase === 'diagnose' ? [] : all.filter((name) => name.startsWith('assign/'));
  const wanted = [...('loss' in recording.outputs ? ['loss'] : []), ...metricNames, ...outputNames.map((name) => `output/${name}`), ...assignNames, ...gradNames];

  const optimized = optimizeRecording(recording, wanted);
  // What is computed twice has two readers, so products take their readers in only after that is known.
  const recomputed = recomputeForward(options.fuse ? fuseBias(optimized) : optimized, options.recompute);
  const lowered = options.native && options.precision === 'fp32' ? fuseProducts(recomputed) : recomputed;
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
  const gradients = collectGradients(graph, lowered, gradNames, native);
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

  /** Updates write into memory that readings of state share: what is to be seen or kept afterwards is copied before. */
  const copying = native ? 'DeepCopy' : 'Identity';
  const outputs = outputNames.map((name) => ({ name, node: outputRef(graph, results[`output/${name}`] as Ref, copying).name }));
  const assigned = assignNames.map((name) => ({ name: name.slice('assign/'.length), value: graph.ref(copying, 'float32', [graph.cast(results[name] as Ref, 'float32')], float) }));
  const scalars = new Map<string, Ref>();
  if (results['loss'] !== undefined) scalars.set('loss', graph.cast(results['loss'], 'float32'));
  const own = gradients.refs(results);
  const mean = optimize !== undefined && phase === 'apply' ? meanGradients({ graph, optimize, gradients: own, variable }) : own;
  const gradNorm = optimize === undefined ? undefined : gradientNorm(graph, mean, native);
  if (phase === 'diagnose') for (const [name, { gradient, halfSquare = unary(graph, 'L2Loss', gradient) }] of own) scalars.set(name, halfSquare);
  else if (gradNorm !== undefined) scalars.set('gradNorm', gradNorm);
  for (const name of metricNames) scalars.set(name.slice('metric/'.length), graph.cast(results[name] as Ref, 'float32'));
  const packed = scalars.size === 0 ? undefined : graph.ref('Pack', 'float32', [...scalars.values()], { ...float, N: ofInt(scalars.size), axis: ofInt(0) });

  let fed: string | undefined;
  const targets: string[] = [];
  /** What new values of state wait for: whatever reads it, and the guard where there is one. */
  let before = [...reads, ...(packed === undefined ? [] : [packed]), ...assigned.map(({ value }) => value)].map(({ name }) => name);
  before.push(...outputs.map(({ node }) => node));
  if (optimize !== undefined && gradNorm !== undefined && phase !== 'diagnose') {
    const updates = buildUpdates({ graph, phase, optimize, groups: options.groups, gradients: mean, gradNorm, before, variable, norms, native, loss: results['loss'] as Ref });
    fed = updates.scalars;
    before = [updates.guard];
    targets.push(...updates.targets);
    outputs.push(...updates.norms);
  }
  for (const { name, value } of assigned) targets.push(variable(name).assign(value, before));
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
const outputRef = (graph: GraphBuilder, ref: Ref, copying: string): Ref => {
  const host = ref.type === 'bool' ? graph.cast(ref, 'int32') : ref;
  // An output that is an input or a variable gets a node of its own: feeds cannot be fetched.
  return graph.ref(copying, host.type, [host], { T: ofType(host.type) });
};

/** Kernels whose results lie in memory of their own, never in that of an input. */
const MAKES_MEMORY: ReadonlySet<string> = new Set(['MimProduct', 'MimColumnSums', 'MimLayerNormGrad', 'BatchMatMul']);

/** Gradients up to this length are summed together at the end; longer ones at once, while they are in the cache. */
const SHORT = 1 << 16;

/**
 * Takes gradients down as they come. With the native library they get memory of their own, as updates read them while they
 * write into state, and half their sum of squares comes from the product that makes them, if one does.
 */
function collectGradients(graph: GraphBuilder, { nodes, outputs }: Recording, names: readonly string[], native: boolean) {
  const values = new Map(names.map((name) => [outputs[name] as TracedValue, name.slice('grad/'.length)]));
  const makers = new Map(nodes.flatMap(({ kernel, outputs: made }) => made.map((value) => [value, kernel] as const)));
  const made = new Map<TracedValue, { readonly gradient: Ref; readonly halfSquare?: Ref }>();
  return {
    onValue(value: TracedValue, ref: Ref): void {
      const name = values.get(value);
      if (name === undefined) return;
      const cast = graph.cast(ref, 'float32');
      const own = !native || cast !== ref || MAKES_MEMORY.has(makers.get(value) ?? '');
      const gradient = own ? cast : graph.ref('DeepCopy', 'float32', [cast], float);
      const summed = `square/${name}` in outputs || (native && sizeOfShape(value.shape) <= SHORT);
      made.set(value, { gradient, ...(summed ? {} : { halfSquare: unary(graph, 'L2Loss', gradient) }) });
    },
    /** By name, in order of declaration. */
    refs(results: Readonly<Record<string, Ref>>): GradientRefs {
      return new Map(
        names.map((key) => {
          const name = key.slice('grad/'.length);
          const halfSquare = results[`square/${name}`];
          return [name, { ...(made.get(outputs[key] as TracedValue) as { gradient: Ref }), ...(halfSquare === undefined ? {} : { halfSquare }) }];
        }),
      );
    },
  };
}
