import type { NamedTensors, TensorSpec, NamedHostTensors, HostTensor } from '@mimlab/core';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';

/** `fp32`, or `bf16`: products and activations in bfloat16; norms, softmax, residuals, master weights and optimizer stay float32. */
export type Precision = 'fp32' | 'bf16';

/**
 * What a step computes a second time in its backward pass, with the same result to the bit, instead of keeping it from
 * the forward pass. `cheap`: elementwise operations and copies. `blocks`: everything inside transformer blocks as well;
 * about a third more time for the least memory.
 */
export type Recompute = 'none' | 'cheap' | 'blocks';

export interface EngineOptions {
  /** `auto`: the compiled graph where libtensorflow is found, else eager execution. */
  readonly kind: 'auto' | 'graph' | 'eager';
  readonly precision: Precision;
  /** Threads for operations; defaults to the number of cores. */
  readonly threads?: number;
  /** Let TensorFlow cluster operations with XLA (graph only). */
  readonly xla?: boolean;
  /** Less memory for more time (graph only, without XLA). Default `none`. */
  readonly recompute?: Recompute;
  /**
   * Keep compiled steps on the disk (mimlab's cache folder) for the next start, those whose definition has a `cacheKey`
   * (graph only). Default true.
   */
  readonly cache?: boolean;
  /** Backend of eager execution; `auto` is tensorflow where its binding loads, else wasm. */
  readonly eagerBackend?: 'auto' | 'tensorflow' | 'wasm' | 'cpu';
}

/** A float32 array that lives on the device between steps. */
export interface StateSpec {
  readonly shape: readonly number[];
  /** Called once, when the state is created; may be slow and large, so it is made one at a time. */
  readonly init: () => Float32Array;
}

/** What one evaluation of a step yields. */
export interface StepResult {
  /** Needed when the step optimizes. */
  readonly loss?: Scalar;
  /** Scalars returned by every run, under their names. The loss is added as `loss`. */
  readonly metrics?: Readonly<Record<string, Scalar>>;
  /** Tensors returned when asked for by name. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /**
   * New values of state, by name: running statistics, say. Written at the end of every run, while accumulating too;
   * not where the guard stops it.
   */
  readonly assign?: Readonly<Record<string, Tensor>>;
}

/** m and v are means of the gradient and of its square. Decay is decoupled. */
export interface AdamwRule {
  readonly kind: 'adamw';
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/**
 * Layer-wise adaptive rates (You et al. 2017) as the official MAE has them for linear probing: u = g + decay p, scaled
 * by trust |p| / |u| (by 1 if either norm is 0); mu <- momentum mu + u; p <- p - lr mu. Parameters of one dimension take
 * their gradient as it is, without decay.
 */
export interface LarsRule {
  readonly kind: 'lars';
  readonly momentum: number;
  readonly trust: number;
}

export type UpdateRule = AdamwRule | LarsRule;

/** How one parameter is changed by an update. */
export interface ParamUpdate {
  readonly rule: UpdateRule;
  /** Weight decay. AdamW's is decoupled and multiplied with the current learning rate and `lrScale`. */
  readonly decay: number;
  readonly lrScale: number;
}

export interface Optimization {
  /** By name of the state they change. Everything else stays as it is. */
  readonly updates: Readonly<Record<string, ParamUpdate>>;
  /** Largest global gradient norm; larger gradients are scaled down to it. */
  readonly clipNorm?: number;
  /** Micro-batches to one update; gradients are averaged over them. Default 1. */
  readonly accumulate?: number;
}

/** A step: pure arithmetic over state and inputs, and what is to be updated. Traced once for each set of input shapes. */
export interface StepDefinition {
  readonly name: string;
  /** Names of the state that `compute` reads. */
  readonly state: readonly string[];
  compute(state: NamedTensors, inputs: NamedTensors): StepResult;
  readonly optimize?: Optimization;
  /**
   * Says what `compute` does, its code included: two definitions of one key compute the same in any process. It lets an
   * engine keep what it compiled; without one a step is compiled at every start.
   */
  readonly cacheKey?: string;
}

export interface RunOptions {
  /** Base learning rate of this update; needed when the step optimizes. */
  readonly lr?: number;
  /** Number of this update, 1 for the first (Adam's bias correction); needed when the step optimizes. */
  readonly update?: number;
  /** `accumulate` adds the gradients up, `apply` (the default) also updates. */
  readonly phase?: 'accumulate' | 'apply';
  /** Names of outputs to return. Besides those of `compute`: `norms` gives scalars `paramNorm` and `updateNorm`. */
  readonly outputs?: readonly string[];
}

export interface StepOutcome {
  /** `loss`, `gradNorm` (optimizing steps, before clipping), the step's own metrics. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, HostTensor>>;
}

export interface Step {
  /**
   * Runs once. Inputs are copied before the promise is returned, so their buffers may be reused at once.
   * @throws NonFiniteError if loss or gradient norm is not finite; the state is then unchanged.
   * @throws EngineError if an input is missing or of another type.
   */
  run(inputs: NamedHostTensors, options?: RunOptions): Promise<StepOutcome>;
  dispose(): void;
}

/** Where steps run. Holds the state that they share. */
export interface Engine {
  readonly kind: 'graph' | 'eager';
  /** For people: backend, library version, threads. */
  readonly description: string;
  readonly precision: Precision;
  /** Creates state. @throws EngineError on a name that exists. */
  define(state: Readonly<Record<string, StateSpec>>): Promise<void>;
  /** Cheap; tracing and compiling happen at the first run with new input shapes. */
  compile(definition: StepDefinition): Step;
  /** Names of all state, optimizer state included: `adamw.m/NAME`, `adamw.v/NAME`, `lars.mu/NAME`, `grad/NAME` while accumulating. */
  stateNames(): readonly string[];
  read(names: readonly string[]): Promise<Record<string, HostTensor>>;
  /** @throws EngineError on an unknown name or another shape; nothing is written then. */
  write(values: NamedHostTensors): Promise<void>;
  dispose(): void;
}

export type { TensorSpec, HostTensor, NamedHostTensors, NamedTensors };
