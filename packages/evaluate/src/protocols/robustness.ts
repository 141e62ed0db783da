import { ConfigError, DataError } from '@mimlab/core';
import { z } from 'zod';
import { loadClassifier } from '../model/loaded-classifier.js';
import { headClassOf } from '../protocol/class-lists.js';
import { defineProtocol, type EvaluationContext, type TestFolder } from '../protocol/protocol.js';
import type { SetPredictions } from '../protocol/results.js';
import { cellName, summarizeCorruptions, type Cell, type CellError } from '../robustness/corruption-error.js';
import { corruptionFolders } from '../robustness/corruption-folders.js';
import { corruptionLines } from '../robustness/corruption-lines.js';
import { createRespondent } from './answers.js';
import { classListKey } from './classify.js';

const folder = (about: string) => z.string().min(1).optional().describe(about);

const RobustnessConfig = z.strictObject({
  inA: folder('Folder of ImageNet-A: CLASS/..., its 200 classes are the only possible answers.'),
  inR: folder('Folder of ImageNet-R, likewise.'),
  inSketch: folder('Folder of ImageNet-Sketch: CLASS/..., all classes of the head.'),
  inC: folder(`Folder of ImageNet-C, or of what 'mimlab corrupt' wrote: NAME/SEVERITY/CLASS/..., all classes of the head.`),
  present: z.boolean().default(false).describe('Measure corruptions and severities that are there where some are missing.'),
  subset: z.boolean().default(false).describe('Test images, inSketch and inC may have some of the classes of the head only; the others are then no possible answers.'),
  classList: classListKey,
  cropC: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe('Crop fraction of the images of inC. Default: 1 where the first of them has the size of the evaluation, as those of ImageNet-C have, which are cut out already; else that of the test images.'),
  batch: z.int().min(1).default(256).describe('Images at once.'),
});
type RobustnessConfig = z.infer<typeof RobustnessConfig>;

/** Number of classes of the head that the errors of AlexNet are for. */
const IMAGENET_CLASSES = 1000;

/** Asks for the answers to a set that are not kept yet. */
type AskFor = (name: string, images: TestFolder, subset: boolean, how: Asking) => Promise<SetPredictions>;
interface Asking {
  readonly cropFraction?: number;
  readonly progress: (done: number) => void;
}

const errorOf = ({ predicted, labels }: SetPredictions): number => predicted.reduce((wrong, answer, i) => wrong + (answer === labels[i] ? 0 : 1), 0) / labels.length;

/** Errors of all corruptions, in the order of the paper. */
async function corruptionErrors({ inC, present, subset, cropC }: RobustnessConfig & { readonly inC: string }, { data, model, report }: EvaluationContext, askFor: AskFor) {
  const folders = await corruptionFolders(inC, present);
  const cells: CellError[] = [];
  let first: { readonly size: number; readonly classes: readonly string[]; readonly cropFraction: number } | undefined;
  for (const [index, cell] of folders.entries()) {
    const images = await data.testFolder(cell.path);
    first ??= { size: images.size, classes: images.classes, cropFraction: cropC ?? (await usualFraction(images, model.image, data.cropFraction)) };
    // A set that was unpacked in part would change the mean, and nobody would see it.
    if (images.size !== first.size) {
      throw new DataError(`holds ${images.size} images, ${cellName(folders[0] as Cell)} has ${first.size}`, { place: cell.path, remedy: 'All corruptions are made of the same images: unpack or make this one again.' });
    }
    const { size, cropFraction } = first;
    const progress = (done: number): void => {
      report({ kind: 'progress', stage: 'inC', unit: 'images', done: index * size + done, total: folders.length * size, text: cellName(cell) });
    };
    cells.push({ ...cell, error: errorOf(await askFor(`inC-${cell.corruption}-${cell.severity}`, images, subset, { cropFraction, progress })) });
  }
  return { cells, samples: first?.size ?? 0, classes: first?.classes ?? [], cropFraction: first?.cropFraction ?? 1 };
}

async function usualFraction(images: TestFolder, size: { readonly height: number; readonly width: number }, ofTests: number): Promise<number> {
  const { height, width } = await images.firstImage();
  return height === size.height && width === size.width ? 1 : ofTests;
}

/** A fine-tuned model on images that differ from those it knows: sketches, renditions, adversarial ones, corrupted ones. */
export const robustness = defineProtocol<RobustnessConfig>({
  name: 'robustness',
  about: 'a fine-tuned model as it is, on its test images and on those of ImageNet-A, -R, -Sketch and -C or others like them',
  source:
    'ImageNet-C: Hendrycks & Dietterich 2019 (arXiv:1903.12261), errors of AlexNet as published with its code; ImageNet-A: arXiv:1907.07174; ImageNet-R: arXiv:2006.16241; ImageNet-Sketch: arXiv:1905.13549',
  configSchema: RobustnessConfig,
  learns: false,
  lines: corruptionLines,
  async run(config, context) {
    const { data, folder: kept, report } = context;
    if ((config.inA ?? config.inR ?? config.inSketch ?? config.inC) === undefined) {
      throw new ConfigError('no images are named', { place: 'robustness', remedy: `Name one or more of inA, inR, inSketch, inC, as '--set inC=data/imagenet-c'.` });
    }
    const { classifier, weights, classes: named } = await loadClassifier(context, 'robustness', config.classList);
    const testColumns = headClassOf(named, classifier.classes, data.classes, config.subset, weights);
    // Whoever has all classes of a head that nobody named has named them.
    const classes = named ?? data.classes;
    const columnsOf = ({ classes: own }: TestFolder, subset: boolean): Int32Array => headClassOf(classes, classifier.classes, own, subset, weights);

    // Everything is looked for before anything is computed: a mistake shows at once.
    const given = ([['inA', config.inA, true], ['inR', config.inR, true], ['inSketch', config.inSketch, config.subset]] as const).flatMap(([name, path, subset]) => (path === undefined ? [] : [{ name, path, subset }]));
    const others = await Promise.all(given.map(async ({ name, path, subset }) => ({ name, subset, images: await data.testFolder(path) })));
    for (const { images, subset } of others) columnsOf(images, subset);
    if (config.inC !== undefined) await corruptionFolders(config.inC, config.present);

    const respondent = createRespondent(context, classifier);
    const askFor: AskFor = (name, images, subset, { cropFraction, progress }) =>
      kept.answers(name, async () => {
        const columns = columnsOf(images, subset);
        const loader = await images.open(config.batch, cropFraction);
        try {
          return { ...(await respondent.answers(loader, columns, progress)), classes: images.classes };
        } finally {
          await loader.close();
        }
      });
    const progressOf = (stage: string, total: number) => (done: number): void => {
      report({ kind: 'progress', stage, unit: 'images', done, total, text: '' });
    };
    try {
      const clean = await kept.answers('test', async () => {
        const loader = await data.openTest(config.batch);
        try {
          return { ...(await respondent.answers(loader, testColumns, progressOf('test images', loader.size))), classes: data.classes };
        } finally {
          await loader.close();
        }
      });
      const sets: Record<string, SetPredictions> = {};
      for (const { name, images, subset } of others) sets[name] = await askFor(name, images, subset, { progress: progressOf(name, images.size) });
      const details: Record<string, unknown> = { pool: classifier.pool, headClasses: classifier.classes };
      if (config.inC !== undefined) {
        const { cells, classes: corrupted, ...facts } = await corruptionErrors({ ...config, inC: config.inC }, context, askFor);
        const imagenet = classifier.classes === IMAGENET_CLASSES && corrupted.length === IMAGENET_CLASSES;
        details['inC'] = { ...summarizeCorruptions(cells, errorOf(clean), imagenet), ...facts };
      }
      return { ...clean, sets, details };
    } finally {
      respondent.dispose();
    }
  },
});
