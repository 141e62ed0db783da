import type { Branch, FeatureSpec, Prediction, Target, TokenSet } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { complaint, expectComplaints, toy, type Break } from '../toy-method.test-support.js';

const FEATURES = 'its encoder returns the features it declares';
const BRANCHES = 'its decoder returns the branches it declares, and predicts for the cells it was given';
const TOKENWISE = 'a head that it calls token-wise gives the same loss whether it gets the retained tokens alone or all';
const TARGETS = 'its targets stay the same whatever is hidden';
const NAMES = 'its branches name parameters that there are, and give mask token and positions of their own width';
const LOSS = 'its loss and the parts of its loss are finite numbers';

/** The encoder's feature a second time, declared otherwise. */
const withFeature = (more: FeatureSpec): Break => ({
  encoder: (sound) => ({
    ...sound,
    features: { ...sound.features, more },
    encode: (...given) => {
      const features = sound.encode(...given);
      return { ...features, more: features['latent'] as tf.Tensor };
    },
  }),
});
/** Changes what `decode` returns for the toy's branch. */
const decoding = (change: (set: TokenSet) => TokenSet): Break => ({
  decoder: (sound) => ({ ...sound, decode: (...given) => Object.fromEntries(Object.entries(sound.decode(...given)).map(([name, set]) => [name, change(set)])) }),
});
/** Changes what `predict` returns. */
const predicting = (change: (prediction: Prediction) => Prediction): Break => ({
  decoder: (sound) => ({ ...sound, predict: (...given) => change(sound.predict(...given)) }),
});
/** The toy's branch declared otherwise. */
const declaring = (change: Partial<Branch>): Break => ({ decoder: (sound) => ({ ...sound, branches: sound.branches.map((branch) => ({ ...branch, ...change })) }) });
const eachValue = (change: (values: tf.Tensor) => tf.Tensor) => ({ values, cells }: Prediction): Prediction => ({
  cells,
  values: Object.fromEntries(Object.entries(values).map(([name, tensor]) => [name, change(tensor)])),
});
const losing = (change: (outcome: ReturnType<Target['loss']>) => ReturnType<Target['loss']>): Break => ({
  target: (sound) => ({ ...sound, loss: (...given) => change(sound.loss(...given)) }),
});

expectComplaints({
  'names an output that is none of its features': {
    broken: { encoder: (sound) => ({ ...sound, get output() { return outputOnce(sound.output); } }) },
    check: FEATURES,
    says: /output 'elsewhere' is none of the features \[latent\]/,
  },
  'declares no class token in a feature that has one': {
    broken: { encoder: (sound) => ({ ...sound, features: { latent: { width: 8, cells: 'visible', cls: false } } }) },
    check: FEATURES,
    says: /has shape \[2, 5, 8\], declared is \[2, 4, 8\]/,
  },
  'declares a feature of the known cells that has the visible ones': {
    broken: withFeature({ width: 8, cells: 'known', cls: true }),
    check: FEATURES,
    says: /feature 'more' has shape \[2, 5, 8\], declared is \[2, 17, 8\]/,
  },
  'declares a feature of the grid that has the visible cells': {
    broken: withFeature({ width: 8, cells: 'grid', cls: false, grid: { rows: 3, columns: 2 } }),
    check: FEATURES,
    says: /feature 'more' has shape \[2, 5, 8\], declared is \[2, 6, 8\]/,
  },
  'gives other cells than its branch declares': {
    broken: decoding((set) => ({ ...set, cells: 'grid' })),
    check: BRANCHES,
    says: /branch 'pixels' declares cells 'known', its set has 'grid'/,
  },
  'returns a class token that it does not declare': {
    broken: declaring({ cls: false }),
    check: BRANCHES,
    says: /declares no class token and returns one/,
  },
  'predicts for cells that it was not given': {
    broken: predicting((prediction) => ({ ...prediction, cells: 'retained' })),
    check: BRANCHES,
    says: /predict turns cells 'known' into 'retained'/,
  },
  'predicts fewer values than the target asks for': {
    broken: predicting(eachValue((values) => tf.slice(values, [0, 0, 0], [-1, -1, 3]))),
    check: BRANCHES,
    says: /no prediction has shape \[2, 16, 16\] as the target asks/,
  },
  'names a parameter of its head that there is not': {
    broken: declaring({ headParams: ['decoder_pred.weight', 'decoder_pred.bios'] }),
    check: NAMES,
    says: /branch 'pixels' names decoder_pred\.bios, which is no parameter/,
  },
  'names a parameter of its final norm that there is not': {
    broken: declaring({ normParams: ['norm_of_another'] }),
    check: NAMES,
    says: /names norm_of_another, which/,
  },
  'has heads that do not divide its width': {
    broken: declaring({ heads: 3 }),
    check: NAMES,
    says: /its width 8 does not divide by its 3 heads/,
  },
  'gives a mask token of another width': {
    broken: declaring({ maskToken: () => tf.zeros([4]) }),
    check: NAMES,
    says: /its mask token has 4 values, its width is 8/,
  },
  'gives positions for the class token, too': {
    broken: declaring({ positions_Nd: () => tf.zeros([17, 8]) }),
    check: NAMES,
    says: /its positions have shape \[17, 8\], the grid wants \[16, 8\]/,
  },
  'calls a head token-wise that mixes tokens': {
    broken: predicting(eachValue((values) => tf.sub(values, tf.mean(values, 1, true)))),
    check: TOKENWISE,
    says: /over the retained tokens alone and .* over all: declare tokenwise: false/,
  },
  'has targets that are not finite': {
    broken: { target: (sound) => ({ ...sound, targets: (...given) => ({ pixels: { patches: tf.div(sound.targets(...given)['pixels']?.['patches'] as tf.Tensor, 0) } }) }) },
    check: TARGETS,
    says: /target 'pixels\.patches' is not finite/,
  },
  'leaves a target out for some plans': {
    broken: {
      target: (sound) => ({
        ...sound,
        targets: (images_BHWC, plan, ...rest) => ({ ...sound.targets(images_BHWC, plan, ...rest), ...(plan.visible_BV.dataSync()[0] === firstSeen(plan.visible_BV) ? { more: { ones: tf.ones([2]) } } : {}) }),
      }),
    },
    check: TARGETS,
    says: /target 'more\.ones' depends on the plan/,
  },
  'has a loss for each image': {
    broken: losing((outcome) => ({ ...outcome, loss: tf.fill([2], 1) as unknown as tf.Scalar })),
    check: LOSS,
    says: /loss has shape \[2\], a scalar is expected/,
  },
  'has a part of the loss that is not finite': {
    broken: losing((outcome) => ({ ...outcome, parts: { ...outcome.parts, thrown: tf.scalar(NaN) } })),
    check: LOSS,
    says: /thrown is NaN/,
  },
});
let reads = 0;
/** The sound name while the decoder is put together, another one afterwards. */
function outputOnce(sound: string): string {
  return reads++ < 1 ? sound : 'elsewhere';
}
let first: number | undefined;
function firstSeen(visible_BV: tf.Tensor): number {
  first ??= visible_BV.dataSync()[0] as number;
  return first;
}

describe('a plugin that does as it declares', () => {
  it('may mix tokens in a head that it does not call token-wise', async () => {
    const mixing = eachValue((values) => tf.sub(values, tf.mean(values, 1, true)));
    const plugin = toy({
      decoder: (sound) => ({ ...sound, branches: sound.branches.map((branch) => ({ ...branch, tokenwise: false })), predict: (...given) => mixing(sound.predict(...given)) }),
    });
    expect(await complaint(plugin, TOKENWISE)).toBeUndefined();
  });

  it('may offer a branch that its target does not ask for', async () => {
    const plugin = toy({
      decoder: (sound) => ({
        ...sound,
        branches: [...sound.branches, { ...(sound.branches[0] as (typeof sound.branches)[number]), name: 'spare' }],
        decode: (...given) => {
          const sets = sound.decode(...given);
          return { ...sets, spare: sets['pixels'] as TokenSet };
        },
      }),
    });
    expect(await complaint(plugin, BRANCHES)).toBeUndefined();
  });
});
