import type { Architecture, ImageSpec, Params, ParamSpecs } from '@mimlab/core';
import type { LayerOf, ResidualRule } from '@mimlab/nn';
import type { Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { beitTrunk, vitTrunk } from './vit-trunk.js';
import { swinTrunk } from './swin-trunk.js';

/** What happens to the residual branches of a block, counted from 0 through all stages. */
export type Residuals = (block: number) => ResidualRule;

/** A network on whole images: tokens in raster order, behind the class token where there is one. */
export interface Trunk {
  readonly width: number;
  readonly blocks: number;
  /** A class token stands in front. */
  readonly cls: boolean;
  /** Depth of a parameter, 0 to blocks + 1. */
  readonly layerOf: LayerOf;
  /** The final norm (`norm`) included. All but buffers can be trained, positions too. */
  params(): ParamSpecs;
  /** What leaves the last block, [B, (1 +) N, D]; nothing is normed. */
  tokens(images_BHWC: Tensor4D, params: Params, residuals?: Residuals): Tensor3D;
  /** The final norm. @param rows_MD [M, D] */
  norm(rows_MD: Tensor2D, params: Params): Tensor2D;
}

/** Builds the network that an architecture describes, for images of this size. @throws ConfigError if sizes do not fit */
export function trunkOf(architecture: Architecture, image: ImageSpec): Trunk {
  switch (architecture.kind) {
    case 'vit':
      return vitTrunk(architecture, image);
    case 'beit':
      return beitTrunk(architecture, image);
    case 'swin':
      return swinTrunk(architecture, image);
  }
}
