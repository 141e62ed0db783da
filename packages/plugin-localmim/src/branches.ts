import { CompositionError, type BranchTarget, type Encoder, type FeatureSpec, type Grid, type ImageSpec } from '@mimlab/core';
import { LATENT, type LocalMimScale, type PatchSize } from '@mimlab/nn';

/** One local reconstruction: its place among them, and how many predictions it makes along each side of a token. */
export interface LocalBranch {
  readonly name: string;
  readonly scale: LocalMimScale;
}

export const localBranches = (scales: readonly LocalMimScale[]): LocalBranch[] => scales.map((scale, place) => ({ name: `local${place}`, scale }));

/** Name of the feature that decoder `place` of `count` reads. The last one is the encoder's output. */
export const featureOf = (place: number, count: number): string => (place === count - 1 ? LATENT : `tap${place}`);

/** Pixels that one prediction of a scale stands for. */
export const cellOf = (image: ImageSpec, grid: Grid, scale: LocalMimScale): PatchSize => ({
  height: image.height / grid.rows / scale,
  width: image.width / grid.columns / scale,
});

/** Why a scale cannot be predicted on this grid; undefined where it can. */
export function misfit(image: ImageSpec, grid: Grid, scale: LocalMimScale): string | undefined {
  if (scale < 1) return grid.rows % 2 === 0 && grid.columns % 2 === 0 ? undefined : `scale 0.5 joins 2 x 2 tokens, the grid has ${grid.rows} x ${grid.columns}`;
  const { height, width } = cellOf(image, grid, scale);
  if (Number.isInteger(height) && Number.isInteger(width)) return undefined;
  return `scale ${scale} divides each side of a token by ${scale}, a token has ${image.height / grid.rows} x ${image.width / grid.columns} pixels`;
}

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

/** The encoder's feature of this name. @throws CompositionError if it has none of visible tokens. */
export function visibleFeature(encoder: Encoder, name: string): FeatureSpec {
  const feature = encoder.features[name];
  if (feature?.cells === 'visible') return feature;
  throw new CompositionError(`the decoder reads the feature '${name}' of visible tokens, the encoder offers ${Object.keys(encoder.features).join(', ') || 'none'}`, {
    place: 'hooks.encoder',
    remedy: 'Take encoder and decoder from plugins that fit each other.',
  });
}
