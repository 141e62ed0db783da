import { EngineError, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import type { Precision, Recompute, RunOptions, Step, StepDefinition, StepOutcome } from '../contract.js';
import { checkHostTensor } from '../eager/host-tensors.js';
import { NonFiniteError } from '../non-finite-error.js';
import { optimizerState } from '../optimizer-state.js';
import type { Pointer, TensorflowApi } from '../tensorflow/c-library.js';
import type { RunProfile } from '../tensorflow/run-metadata.js';
import type { Callable, TensorflowSession } from '../tensorflow/session.js';
import { INVALID_ARGUMENT, TensorflowError } from '../tensorflow/status.js';
import { deleteTensors, tensorFrom } from '../tensorflow/tensor.js';
import { traceStep, updatedNames, type StepRecording } from '../trace/trace-step.js';
import type { GraphState } from './graph-state.js';
import { checkDefinition, checkRunOptions } from './step-checks.js';
import type { StepCompiler } from './step-cache-compiler.js';
import { buildStepGraph, type StepGraph, type StepVariant } from './step-graph.js';
import { GUARD_MESSAGE } from './update-graph.js';
import { updateGroups, updateScalars } from './update-rules.js';

export interface GraphStepContext {
  readonly api: TensorflowApi;
  readonly session: TensorflowSession;
  readonly state: GraphState;
  readonly precision: Precision;
  readonly recompute: Recompute;
  readonly xla: boolean;
  /** The native library is loaded: steps may use its kernels. */
  readonly fused: boolean;
  /** Runs one piece of work after the other; rejects when the engine is disposed. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly compile: StepCompiler;
}

/** A step of the compiled engine; it can also be run under TensorFlow's tracer. */
export interface GraphStep extends Step {
  profile(inputs: NamedHostTensors, options?: RunOptions): Promise<{ readonly outcome: StepOutcome; readonly profile: RunProfile }>;
}

interface Compiled {
  readonly graph: StepGraph;
  readonly callable: Callable;
}

interface Ran {
  readonly metrics: Record<string, number>;
  readonly outputs: Record<string, HostTensor>;
  readonly profile?: RunProfile;
}

/** @throws EngineError if the definition names state that does not exist, or updates what it does not read. */
export function createGraphStep(definition: StepDefinition, context: GraphStepContext): GraphStep {
  const { api, session, state } = context;
  const { optimize, name: place } = definition;
  checkDefinition(definition, state);
  for (const [name, { rule }] of Object.entries(optimize?.updates ?? {})) {
    const { shape } = state.get(name);
    for (const slot of optimizerState(rule, name)) state.ensureZeros(slot, shape);
    if ((optimize?.accumulate ?? 1) > 1) state.ensureZeros(`grad/${name}`, shape);
  }
  const groups = updateGroups(definition);
  const recordings = new Map<string, StepRecording>();
  const variants = new Map<string, Compiled>();
  let declared: ReadonlyMap<string, string> | undefined;
  let disposed = false;

  const recordingFor = (inputs: NamedHostTensors, signature: string): StepRecording => {
    const known = recordings.get(signature) ?? traceStep(definition, state.shapes(), inputs, context.fused);
    recordings.set(signature, known);
    return known;
  };

  const variantFor = (inputs: NamedHostTensors, variant: StepVariant): Compiled => {
    const signature = Object.entries(inputs).map(([name, { dtype, shape }]) => `${name}:${dtype}[${shape.join()}]`).sort().join(' '); // prettier-ignore
    const key = `${variant.phase} ${[...variant.outputs].sort().join()} ${signature}`;
    const known = variants.get(key);
    if (known !== undefined) return known;
    const graph = context.compile(definition, variant, signature, (prefix) => {
      const recording = recordingFor(inputs, signature);
      checkOutputs(recording, variant, definition);
      return buildStepGraph({
        ...variant, definition, recording, groups, prefix, precision: context.precision, recompute: context.recompute, fuse: !context.xla, native: context.fused, variable: state.get,
      }); // prettier-ignore
    });
    session.extend(graph.graphDef);
    const feeds = [...graph.inputs.map(({ node }) => node), ...(graph.scalars === undefined ? [] : [graph.scalars])];
    const fetches = [...(graph.metrics === undefined ? [] : [graph.metrics.node]), ...graph.outputs.map(({ node }) => node)];
    const compiled = { graph, callable: session.callable(feeds, fetches, graph.targets) };
    variants.set(key, compiled);
    return compiled;
  };

  /** Copies what is fed; the caller deletes it. */
  const feedsOf = ({ graph }: Compiled, inputs: NamedHostTensors, options: RunOptions): Pointer[] => {
    const scalars = updateScalars(groups, options);
    return [
      ...graph.inputs.map(({ name }) => tensorFrom(api, inputs[name] as HostTensor)),
      ...(graph.scalars === undefined ? [] : [tensorFrom(api, { shape: [scalars.length], dtype: 'float32', data: scalars })]),
    ];
  };

  const execute = async ({ graph, callable }: Compiled, feeds: readonly Pointer[], profiled: boolean): Promise<Ran> => {
    const { fetched, profile } = profiled ? await session.profile(callable, feeds) : { fetched: await session.run(callable, feeds), profile: undefined };
    const [values, ...rest] = graph.metrics === undefined ? [undefined, ...fetched] : fetched;
    const metrics = Object.fromEntries((graph.metrics?.names ?? []).map((name, index) => [name, values?.data[index] as number]));
    const outputs = Object.fromEntries(graph.outputs.map(({ name }, index) => [name, rest[index] as HostTensor]));
    return { metrics, outputs, ...(profile === undefined ? {} : { profile }) };
  };

  /** The guard stopped the run, so the state is as before: ask the same inputs which gradient is bad. */
  const diagnose = async (compiled: Compiled, feeds: readonly Pointer[]): Promise<NonFiniteError> => {
    const { metrics } = await execute(compiled, feeds, false);
    const { loss = NaN, ...halfSquares } = metrics;
    const names = updatedNames(definition).filter((name) => name in halfSquares);
    const gradNorm = Math.sqrt(2 * names.reduce((sum, name) => sum + (halfSquares[name] as number), 0));
    return new NonFiniteError(loss, gradNorm, names.find((name) => !Number.isFinite(halfSquares[name])));
  };

  const run = async (inputs: NamedHostTensors, options: RunOptions, profiled: boolean): Promise<Ran> => {
    if (disposed) throw new EngineError('the step was disposed', { place });
    if (optimize) checkRunOptions(definition, options);
    for (const [name, value] of Object.entries(inputs)) checkHostTensor(`${place}: input ${name}`, value);
    for (const [name, dtype] of declared ?? []) {
      const given = inputs[name]?.dtype;
      if (given === dtype) continue;
      throw new EngineError(given === undefined ? 'the input is missing' : `${given} was given, ${dtype} is needed`, { place: `${place}: input ${name}` });
    }
    const compiled = variantFor(inputs, { phase: options.phase ?? 'apply', outputs: options.outputs ?? [] });
    declared ??= new Map(Object.entries(inputs).map(([name, { dtype }]) => [name, dtype]));
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype, data: new Float32Array() }]));
    const feeds = feedsOf(compiled, inputs, options);
    // From here on the caller's arrays are not touched.
    try {
      return await context.inTurn(async () => {
        await state.settle();
        try {
          return await execute(compiled, feeds, profiled);
        } catch (error) {
          if (!(error instanceof TensorflowError && error.code === INVALID_ARGUMENT && error.message.includes(GUARD_MESSAGE))) throw error;
          const diagnosis = variantFor(shapes, { phase: 'diagnose', outputs: [] });
          const names = compiled.graph.inputs.map(({ name }) => name);
          throw await diagnose(diagnosis, diagnosis.graph.inputs.map(({ name }) => feeds[names.indexOf(name)] as Pointer)); // prettier-ignore
        }
      });
    } finally {
      deleteTensors(api, feeds);
    }
  };

  return {
    async run(inputs, options = {}) {
      const { metrics, outputs } = await run(inputs, options, false);
      return { metrics, outputs };
    },
    async profile(inputs, options = {}) {
      const { metrics, outputs, profile } = await run(inputs, options, true);
      return { outcome: { metrics, outputs }, profile: profile as RunProfile };
    },
    dispose() {
      disposed = true;
      recordings.clear();
      variants.clear();
    },
  };
}

function checkOutputs(recording: StepRecording, { phase, outputs }: StepVariant, { name: place, optimize }: StepDefinition): void {
  const prefix = 'output/';
  for (const name of outputs) {
    if (name === 'norms') {
      if (optimize && phase === 'apply') continue;
      throw new EngineError(`output 'norms' belongs to runs that update parameters`, { place });
    }
    if (`${prefix}${name}` in recording.outputs) continue;
    const known = Object.keys(recording.outputs).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length)); // prettier-ignore
    throw new EngineError(`the step has no output '${name}'`, { place, remedy: `It has: ${known.join(', ') || '(none)'}.` });
  }
}
