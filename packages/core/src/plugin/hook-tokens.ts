import type { InjectionToken } from 'tsyringe';
import type { Decoder, Encoder, Sampler, Scoring, Target } from '../hooks/index.js';
import type { ImageSpec } from '../image.js';

/** The hooks of a method, by the names that `hooks:` in a configuration uses. */
export interface Hooks {
  readonly sampler: Sampler;
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly target: Target;
}
export type HookName = keyof Hooks;
export const HOOK_NAMES = ['sampler', 'encoder', 'decoder', 'target'] as const satisfies readonly HookName[];

const token = <T>(name: string): InjectionToken<T> => Symbol.for(`mimlab:${name}`);

/** Tokens of the container. `Symbol.for` so that two copies of this file agree. */
export const SAMPLER = token<Sampler>('sampler');
export const ENCODER = token<Encoder>('encoder');
export const DECODER = token<Decoder>('decoder');
export const TARGET = token<Target>('target');
/** Bound by core (`scoreRetained`), replaced by wrappers that change what is asked for. */
export const SCORING = token<Scoring>('scoring');
/** Size of the run's images, bound by core. */
export const IMAGE = token<ImageSpec>('image');

/** Everything a wrapper may decorate. */
export interface Wrappable extends Hooks {
  readonly scoring: Scoring;
}

export const TOKENS: { readonly [K in keyof Wrappable]: InjectionToken<Wrappable[K]> } = {
  sampler: SAMPLER,
  encoder: ENCODER,
  decoder: DECODER,
  target: TARGET,
  scoring: SCORING,
};
