import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, countsOf, loadWeights, randomStream, type ParamSpecs } from '@mimlab/core';
import { augmentInto, datasetRef, decodeImage, imageSpec, openDataset, type SourceImage } from '@mimlab/data';
import { createEngine, type Engine } from '@mimlab/engine';
import { newestCheckpoint, parameterState, runPaths, samplerStateOf, type Checkpoint } from '@mimlab/train';
import { writePng } from '../pictures/canvas.js';
import { pictureCaption, predictPixels, stackImages, type Statistics } from '../pictures/predict-pixels.js';
import { drawReconstructions } from '../pictures/reconstruction-grid.js';
import { loadRunContext, storedConfig, type RunContext } from '../run/run-context.js';
import { runStatistics } from '../run/train-run.js';
import type { Terminal } from '../terminal.js';

export interface ReconstructOptions {
  readonly statistics: Statistics;
  readonly output?: string;
  /** Images of the test set to draw when none is named. */
  readonly count: number;
  readonly seed: number;
  /** Weights from elsewhere: a safetensors file, a torch archive or a checkpoint folder. */
  readonly weights?: string;
}

/** Draws reconstructions of images, or of the first test images of the run's data set. */
export async function reconstruct(run: string, images: readonly string[], options: ReconstructOptions, terminal: Terminal): Promise<void> {
  const context = await loadRunContext(storedConfig(run));
  const pixels = await preparedImages(context, images, options.count);
  const statistics = await runStatistics(context);
  const checkpoint = options.weights === undefined ? await checkpointOf(run, terminal) : undefined;
  const engine = await createEngine({ ...context.config.engine, kind: 'eager', precision: 'fp32' });
  try {
    await loadInto(engine, options.weights ?? (checkpoint as Checkpoint).path, context);
    const { objective } = context;
    // A run's sampler follows attention once its checkpoints hold some. These images are none of those that it is kept
    // for, so it is gathered for them as training does.
    const attends = objective.sampler.state !== undefined && (checkpoint === undefined || checkpoint.state.samplerState !== undefined);
    const states = attends ? await samplerStateOf({ objective, engine, statistics }, stackImages(pixels, objective.image)) : undefined;
    const rows = await predictPixels({ objective, engine, statistics, images: pixels, seed: options.seed, source: options.statistics, ...(states === undefined ? {} : { states }) });
    const path = options.output ?? join(run, 'reconstructions.png');
    await mkdir(dirname(path), { recursive: true });
    await writePng(drawReconstructions(rows, pictureCaption(objective, options.statistics)), path);
    if (attends && rows[0] !== undefined) {
      const { visible, retained, thrown } = countsOf(rows[0].plan);
      terminal.note(`masks follow the attention of these weights to each image: V ${visible} visible, K ${retained} retained, T ${thrown} thrown`);
    }
    for (const line of pictureCaption(objective, options.statistics)) terminal.note(line);
    terminal.out(path);
  } finally {
    engine.dispose();
  }
}

async function checkpointOf(run: string, terminal: Terminal): Promise<Checkpoint> {
  const { checkpoints } = runPaths(run);
  const found = await newestCheckpoint(checkpoints, (message) => {
    terminal.note(`note: ${message}`);
  });
  if (found === undefined) throw new CheckpointError('the run has no checkpoint yet', { place: checkpoints, remedy: `Train it first: mimlab pretrain --resume ${run}` });
  return found;
}

/** Loads weights that cover every parameter: with an untrained decoder the picture would be noise that looks like a result. */
async function loadInto(engine: Engine, weights: string, { objective, config }: RunContext): Promise<void> {
  const specs = objective.params();
  const { values, missing, unexpected } = await loadWeights(weights, specs, { strict: false });
  const untrained = missing.filter((name) => specs[name]?.trainable === true);
  if (untrained.length > 0) refuseUntrained(weights, untrained, specs);
  // A deeper model of the same width has all of these parameters, and more: drawn with some of them it would be wrong.
  if (unexpected.length > 0) {
    throw new CheckpointError(`the file has ${unexpected.length} parameters that the run's model lacks (${someOf(unexpected)})`, {
      place: weights,
      remedy: 'Use weights of the model that the configuration of the run describes.',
    });
  }
  await engine.define(parameterState(specs, config.seed));
  await engine.write(values);
}

const someOf = (names: readonly string[]): string => `${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;

function refuseUntrained(weights: string, untrained: readonly string[], specs: ParamSpecs): never {
  const all = Object.values(specs).filter(({ trainable }) => trainable).length;
  throw new CheckpointError(`${untrained.length} of ${all} trained parameters are not in the file (${someOf(untrained)})`, {
    place: weights,
    remedy: 'A reconstruction needs the decoder, which files for fine-tuning leave out. Use a checkpoint of pre-training.',
  });
}

/** Images brought to the run's size as evaluation does: resized, centre cut out. */
async function preparedImages({ config }: RunContext, paths: readonly string[], count: number): Promise<Uint8Array[]> {
  const spec = imageSpec(config.data);
  const sources: SourceImage[] = [];
  if (paths.length > 0) {
    for (const path of paths) sources.push(await decodeImage(path, spec.channels));
  } else {
    const dataset = await openDataset(datasetRef(config.data, 'test'));
    for (let index = 0; index < Math.min(count, dataset.size); index++) sources.push(await dataset.image(index));
  }
  return sources.map((source) => {
    const pixels = new Uint8Array(spec.height * spec.width * spec.channels);
    augmentInto(source, spec, { kind: 'none' }, randomStream('reconstruct'), pixels);
    return pixels;
  });
}
