import { composeRun, ConfigError, createObjective, type Objective } from '@mimlab/core';
import { z } from 'zod';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { DeviationRow } from './deviation-file.js';

const WRAPPER = 'pr-mim';
const RECONSTRUCTIONS = ['subset', 'partial', 'progressive'] as const;
const Settings = z.object({ throw: z.number(), sampling: z.string(), reconstruction: z.enum(RECONSTRUCTIONS) });

/** A method to compare, of those that `--methods` names: `partial:random`. */
export type MethodChoice = Pick<DeviationRow, 'method' | 'sampler'>;

/** A wrapped form of a run's model. */
export interface WrappedForm extends MethodChoice {
  readonly throw: number;
  readonly counts: DeviationRow['counts'];
  readonly objective: Objective;
}

/** Each once, however often it is named. @throws ConfigError on anything but RECONSTRUCTION:SAMPLER */
export function parseMethods(list: string): MethodChoice[] {
  return [...new Set(list.split(',').map((text) => text.trim()))].map((text) => {
    const [method, sampler, ...rest] = text.split(':');
    const known = RECONSTRUCTIONS.find((name) => name === method);
    if (known !== undefined && sampler !== undefined && sampler !== '' && rest.length === 0) return { method: known, sampler };
    throw new ConfigError(`got '${text}', expected RECONSTRUCTION:SAMPLER`, { place: '--methods', remedy: `As in 'partial:random,progressive:furthest'; reconstructions are ${RECONSTRUCTIONS.join(', ')}.` });
  });
}

/** Each once, however often it is named. @throws ConfigError on anything but ratios above 0 and below 1 */
export function parseRatios(list: string): number[] {
  const ratios = list.split(',').map((text) => {
    const ratio = Number(text);
    if (text.trim() !== '' && ratio > 0 && ratio < 1) return ratio;
    throw new ConfigError(`got '${text}', expected ratios above 0 and below 1`, { place: '--throw', remedy: `As in '--throw 0.25,0.5,0.65'.` });
  });
  return [...new Set(ratios)];
}

const wrapperPlace = ({ composition: { wrap = [] } }: RunContext): number => wrap.findIndex(({ plugin }) => plugin.name === WRAPPER);

/** Whether a run throws tokens, or scores some of them only. */
export const isWrapped = (context: RunContext): boolean => wrapperPlace(context) >= 0;

/** The model of a run without PR-MIM: full reconstruction. */
export function fullObjective({ composition }: RunContext): Objective {
  const wrap = (composition.wrap ?? []).filter(({ plugin }) => plugin.name !== WRAPPER);
  return createObjective(composeRun({ ...composition, wrap }));
}

/**
 * What is compared at a wrapped run's own weights: its method, and for partial reconstruction also the loss on the same
 * tokens behind a full-length decoder, which tells fewer supervised tokens from a shorter context.
 * @param config its stored configuration
 */
export async function formsOfRun(context: RunContext, config: string): Promise<WrappedForm[]> {
  const own = formOf(context);
  if (own.method !== 'partial') return [own];
  const subset = await loadRunContext(config, [`wrap.${wrapperPlace(context)}.reconstruction=subset`]);
  return [{ ...formOf(subset), counts: own.counts }, own];
}

/**
 * What is compared at the weights of a run that throws nothing: each method at each ratio.
 * @param settings `key=value` of the wrapper, for progressive reconstruction: `aggregator.kernel=3`
 * @throws ConfigError with what a setting or ratio lacks
 */
export async function formsOfGrid({ config: { wrap } }: RunContext, config: string, methods: readonly MethodChoice[], ratios: readonly number[], settings: readonly string[]): Promise<WrappedForm[]> {
  const wrapped = async (method: string, sampler: string, ratio: number, more: readonly string[] = []): Promise<WrappedForm> => {
    const keys = [`plugin=${WRAPPER}`, `throw=${ratio}`, `sampling=${sampler}`, `reconstruction=${method}`, ...more];
    return formOf(await loadRunContext(config, keys.map((key) => `wrap.${wrap.length}.${key}`)));
  };
  const forms: WrappedForm[] = [];
  for (const { method, sampler } of methods) {
    for (const ratio of ratios) {
      const form = await wrapped(method, sampler, ratio, method === 'progressive' ? settings : []);
      forms.push(method === 'subset' ? { ...form, counts: (await wrapped('partial', sampler, ratio)).counts } : form);
    }
  }
  return forms;
}

function formOf(context: RunContext): WrappedForm {
  const { objective, config } = context;
  const settings = Settings.parse(config.wrap[wrapperPlace(context)]);
  const { visible, retained, thrown } = objective.sampler.counts(objective.grid);
  return { method: settings.reconstruction, sampler: settings.sampling, throw: settings.throw, counts: { visible, retained, thrown }, objective };
}
