// What is measured: configurations of each method, the same model for PyTorch, batch sizes, rounds.

/** Cases of `--case`. `steps` make up a round; `seconds` bounds the rounds of one comparison. */
export const CASES = {
  small: { batch: 64, steps: 5, rounds: 8, seconds: 60, dataset: 'cifar10', title: 'small' },
  'vit-b16': { batch: 8, steps: 1, rounds: 9, seconds: 120, dataset: 'imagefolder', title: 'ViT-B/16, 224 px' },
};

/** MAE of each case, as mimlab and as the PyTorch peer are told. */
export const MAE_MODELS = {
  small: { size: 32, patchSize: 4, width: 192, depth: 12, heads: 3, decoderWidth: 96, decoderDepth: 4, decoderHeads: 3 },
  'vit-b16': { size: 224, patchSize: 16, width: 768, depth: 12, heads: 12, decoderWidth: 512, decoderDepth: 8, decoderHeads: 16 },
};

const settings = (values) => Object.entries(values).map(([key, value]) => `method.${key}=${value}`);
/** `method` settings of an MAE of this size; the image's size is the data set's. */
export const maeSettings = (model) => settings(model).filter((setting) => !setting.startsWith('method.size='));

const smallVit = { patchSize: 4, width: 192, depth: 12, heads: 3 };
const smallDecoder = { decoderWidth: 96, decoderHeads: 3 };
const onCifar = (method, values) => ({ plain: `${method}/cifar10-small`, wrapped: `${method}/cifar10-small-pr50`, set: settings(values) });
const published = (plain, wrapped, set = []) => ({ plain, wrapped, set });

/** Presets of each method by case, bare and wrapped by PR-MIM, with what is set over them. */
export const METHODS = {
  mae: {
    small: { ...onCifar('mae', {}), set: maeSettings(MAE_MODELS.small) },
    'vit-b16': { ...published('mae/vit-b16-in1k', 'mae/vit-b16-in1k-pr50'), set: maeSettings(MAE_MODELS['vit-b16']) },
  },
  simmim: {
    small: onCifar('simmim', { ...smallVit, maskUnit: 8 }),
    'vit-b16': published('simmim/vit-b16-in1k-100e', 'simmim/vit-b16-in1k-100e-pr50'),
  },
  // Swin has no patches of 16 pixels: its published size at 224 pixels is Swin-B with windows of 7.
  greenmim: {
    small: onCifar('greenmim', { patchSize: 2, width: 96, depths: '[2, 10]', heads: '[3, 6]', window: 4, ...smallDecoder }),
    'vit-b16': { ...published('greenmim/swin-b-w7-in1k-100e', 'greenmim/swin-b-w7-in1k-100e-pr50'), size: 'Swin-B, windows of 7' },
  },
  localmim: {
    small: onCifar('localmim', { ...smallVit, taps: '[4, 8, 12]', decoderWidth: 64 }),
    'vit-b16': published('localmim/vit-b16-in1k-100e', 'localmim/vit-b16-in1k-100e-pr50'),
  },
  mff: {
    small: onCifar('mff', { ...smallVit, ...smallDecoder, decoderDepth: 4 }),
    'vit-b16': published('mff/vit-b16-in1k', 'mff/vit-b16-in1k-pr50'),
  },
  // A teacher of random values costs what a trained one does, and needs no file.
  tec: {
    small: onCifar('tec', { ...smallVit, ...smallDecoder, adapterBlocks: 3, 'teacher.checkpoint': 'null', 'teacher.width': 192, 'teacher.depth': 12, 'teacher.heads': 3 }),
    'vit-b16': published('tec/vit-b16-in1k-300e', 'tec/vit-b16-in1k-300e-pr50', ['method.teacher.checkpoint=null']),
  },
};

/** Name of mimlab's peer with a part γ of all tokens thrown. */
export const throwName = (gamma) => `γ ${gamma}`;

/**
 * Preset and settings of a method with the part `gamma` of all tokens thrown (0: bare) over generated images.
 * @param folders by data set, see images.mjs
 */
export function configuration(method, caseName, gamma, folders, batch = CASES[caseName].batch) {
  const { plain, wrapped, set } = METHODS[method][caseName];
  const { dataset } = CASES[caseName];
  return {
    preset: gamma === 0 ? plain : wrapped,
    set: [...set, `data.dataset=${dataset}`, `data.path=${folders[dataset]}`, `train.batch=${batch}`, 'train.accumulate=1', ...(gamma === 0 ? [] : [`wrap.0.throw=${gamma}`])],
  };
}

/** The PyTorch peers: the same MAE run operation by operation, and by torch.compile. */
export const PYTORCH = { eager: { compile: false }, compile: { compile: true } };
