import { CompositionError, type BranchTarget, type Grid, type ImageSpec } from '@mimlab/core';
import { misfit, type LocalMimScale } from '@mimlab/nn';

/** One local reconstruction: its place among them, and how many predictions it makes along each side of a token. */
export interface LocalBranch {
  readonly name: string;
  readonly scale: LocalMimScale;
}

export const localBranches = (scales: readonly LocalMimScale[]): LocalBranch[] => scales.map((scale, place) => ({ name: `local${place}`, scale }));

/**
 * What the target asks of a branch of the decoder.
 * @throws CompositionError if it asks for other branches or scales, with the reason where a scale cannot be predicted.
 */
export function askedOf(targets: Readonly<Record<string, BranchTarget>>, branches: readonly LocalBranch[], branch: LocalBranch, image: ImageSpec, grid: Grid): BranchTarget {
  const asked = targets[branch.name];
  if (asked?.scale === branch.scale) return asked;
  const reason = misfit(image, grid, branch.scale);
  if (reason !== undefined) {
    throw new CompositionError(reason, { place: 'scales', remedy: `Leave ${branch.scale} out of 'scales', or choose another patchSize.` });
  }
  const listed = (named: readonly (readonly [name: string, scale: number])[]): string => `[${named.map(([name, scale]) => `${name} at scale ${scale}`).join(', ')}]`;
  const offered = listed(branches.map(({ name, scale }) => [name, scale]));
  throw new CompositionError(`the target asks for branches ${listed(Object.entries(targets).map(([name, { scale }]) => [name, scale]))}, the decoder offers ${offered}`, {
    place: 'hooks.target',
    remedy: 'Give target and decoder the same scales, or take both from one plugin.',
  });
}
