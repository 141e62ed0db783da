/** Parts of a name that differ, ours first. They stand in both directions for themselves. */
const PARTS: readonly (readonly [ours: string, theirs: string])[] = [
  ['patch_embed.proj.', 'patch_embed.projection.'],
  ['.norm1.', '.ln1.'],
  ['.norm2.', '.ln2.'],
  ['.mlp.fc1.', '.ffn.layers.0.0.'],
  ['.mlp.fc2.', '.ffn.layers.1.'],
];
const BACKBONE = 'backbone.';
const NECK = 'neck.';
const isDecoder = (name: string): boolean => /^(decoder_|mask_token)/.test(name);

/**
 * The name that mmpretrain gives a parameter of MAE or MFF (`blocks.0.norm1.weight` -> `backbone.layers.0.ln1.weight`).
 * For `saveWeights(..., { rename })`.
 */
export function toMmpretrainName(name: string): string {
  if (name.startsWith('norm.')) return `${BACKBONE}ln1.${name.slice('norm.'.length)}`;
  if (name.startsWith('decoder_norm.')) return `${NECK}ln1.${name.slice('decoder_norm.'.length)}`;
  const inner = PARTS.reduce((text, [ours, theirs]) => text.replace(ours, theirs), name);
  return isDecoder(name) ? NECK + inner : BACKBONE + inner.replace(/^blocks\./, 'layers.');
}

/** The inverse of `toMmpretrainName`, for `loadWeights(..., { rename })`; other names stay as they are. */
export function fromMmpretrainName(name: string): string {
  const outer = [BACKBONE, NECK].find((prefix) => name.startsWith(prefix));
  if (outer === undefined) return name;
  const inner = name.slice(outer.length);
  const norm = /^ln1\.(.*)$/.exec(inner)?.[1];
  if (norm !== undefined) return `${outer === NECK ? 'decoder_norm' : 'norm'}.${norm}`;
  const ours = PARTS.reduce((text, [own, theirs]) => text.replace(theirs, own), inner);
  return outer === NECK ? ours : ours.replace(/^layers\./, 'blocks.');
}
