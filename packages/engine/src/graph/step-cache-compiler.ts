import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { codeDigest } from '@mimlab/core';
import type { StepDefinition } from '../contract.js';
import type { GraphState } from './graph-state.js';
import type { StepCache } from './step-cache.js';
import type { StepGraph, StepVariant } from './step-graph.js';

/** What a compiled step depends on besides its definition. */
export interface CompileSettings {
  readonly precision: string;
  readonly recompute: string;
  readonly xla: boolean;
  readonly fused: boolean;
  readonly threads: number;
  /** Version of TensorFlow. */
  readonly library: string;
}

/** The code that compiles: this package and what it imports. Read once in a process. */
let compiler: { readonly digest: string | undefined } | undefined;
const compilerDigest = (): string | undefined => (compiler ??= { digest: codeDigest([fileURLToPath(import.meta.url)]) }).digest;

/**
 * The key of one variant of a step: a hash of everything that its graph follows from. The definition answers for what
 * its `compute` does by its `cacheKey`, this package for its own code.
 *
 * Names of variables in the session are part of it: graphs refer to them.
 * @param signature names, types and shapes of the inputs
 * @returns undefined for a step that may not be kept
 */
export function stepCacheKey(definition: StepDefinition, variant: StepVariant, signature: string, state: Pick<GraphState, 'names' | 'get'>, settings: CompileSettings): string | undefined {
  const { cacheKey, name, state: reads, optimize } = definition;
  const code = cacheKey === undefined ? undefined : compilerDigest();
  if (code === undefined) return undefined;
  const variables = state.names().map((variable) => {
    const { sharedName, shape } = state.get(variable);
    return [variable, sharedName, shape];
  });
  const whole = { code, cacheKey, name, reads, optimize, phase: variant.phase, outputs: [...variant.outputs].sort(), signature, variables, settings, system: [process.platform, process.arch] };
  return createHash('sha256').update(JSON.stringify(whole)).digest('hex');
}

/** Gives the graph of a step's variant, from the cache or by building it under a prefix that the session has not had. */
export type StepCompiler = (definition: StepDefinition, variant: StepVariant, signature: string, build: (prefix: string) => StepGraph) => StepGraph;

/** @param nextPrefix a prefix of its own at every call, never one that begins with `kept_` */
export function createStepCompiler(cache: StepCache | undefined, state: Pick<GraphState, 'names' | 'get'>, settings: CompileSettings, nextPrefix: () => string): StepCompiler {
  const used = new Set<string>();
  return (definition, variant, signature, build) => {
    const key = cache === undefined ? undefined : stepCacheKey(definition, variant, signature, state, settings);
    // A second step of the same key would bring nodes of the same names into the session.
    if (cache === undefined || key === undefined || used.has(key)) return build(nextPrefix());
    used.add(key);
    const kept = cache.load(key);
    if (kept !== undefined) return kept;
    const graph = build(`kept_${key.slice(0, 16)}`);
    cache.store(key, graph);
    return graph;
  };
}
