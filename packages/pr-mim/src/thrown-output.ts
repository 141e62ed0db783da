import { CompositionError, type Branch, type Decoder, type ParamSpecs, type Prediction } from '@mimlab/core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { ownPrefix } from './aggregators/aggregator.js';
import { thrownCells } from './fill.js';
import { choose } from './merge.js';
import type { ProgressiveOptions } from './progressive-options.js';

/** Prediction with a norm or head of their own for thrown tokens. */
export interface OwnOutput {
  params(): ParamSpecs;
  readonly predict: Decoder['predict'];
}

/**
 * Gives thrown tokens their own final norm, head or both: parameters like the method's, under `prmim.BRANCH.NAME`,
 * through which the method's own `predict` runs a second time.
 * @throws CompositionError if a branch does not name these parameters or does not predict token by token.
 */
export function ownOutput(
  inner: Decoder,
  branches: readonly Branch[],
  { shareNorm, shareHead }: Pick<ProgressiveOptions, 'shareNorm' | 'shareHead'>,
  encoderParams: ParamSpecs = {},
): OwnOutput {
  const namesOf = (branch: Branch): readonly string[] => [...(shareNorm ? [] : branch.normParams), ...(shareHead ? [] : branch.headParams)];
  const specs = { ...encoderParams, ...inner.params() };
  for (const branch of branches) {
    const refuse = (problem: string): never => {
      throw new CompositionError(`branch '${branch.name}' ${problem}`, {
        place: shareNorm ? 'pr-mim.shareHead' : 'pr-mim.shareNorm',
        remedy: 'Let thrown tokens share the norm and head of the others.',
      });
    };
    if (!branch.tokenwise) refuse('does not predict token by token, so thrown tokens cannot have a norm or head of their own');
    if (!shareNorm && branch.normParams.length === 0) refuse('names no parameters of its final norm');
    if (!shareHead && branch.headParams.length === 0) refuse('names no parameters of its head');
    const unknown = namesOf(branch).find((name) => specs[name] === undefined);
    if (unknown !== undefined) refuse(`names '${unknown}', which is no parameter of the decoder or the encoder`);
  }
  const ownName = (branch: Branch, name: string): string => `${ownPrefix(branch.name)}.${name}`;
  const byName = new Map(branches.map((branch) => [branch.name, branch]));

  return {
    params: () =>
      Object.fromEntries(
        branches.flatMap((branch) => namesOf(branch).map((name) => [ownName(branch, name), specs[name] as ParamSpecs[string]])),
      ),
    predict(name, set, plan, params, context): Prediction {
      const shared = inner.predict(name, set, plan, params, context);
      const branch = byName.get(name);
      if (branch === undefined) return shared;
      const replaced = Object.fromEntries(namesOf(branch).map((param) => [param, params[ownName(branch, param)] as Tensor]));
      const own = inner.predict(name, set, plan, { ...params, ...replaced }, context);
      const mask_BN1 = thrownCells(plan);
      const values = Object.entries(shared.values).map(([key, value]) => [key, choose(mask_BN1, own.values[key] as Tensor3D, value as Tensor3D)]);
      return { values: Object.fromEntries(values) as Prediction['values'], cells: shared.cells };
    },
  };
}
