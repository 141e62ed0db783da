import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CheckpointError, countsOf } from '@mimlab/core';
import { createEngine } from '@mimlab/engine';
import { newestCheckpoint, runPaths, samplerStateOf, type Checkpoint } from '@mimlab/train';
import { writePng } from '../pictures/canvas.js';
import { loadDrawableWeights } from '../pictures/drawable-weights.js';
import { pictureCaption, predictPixels, stackImages, type Statistics } from '../pictures/predict-pixels.js';
import { preparedImages } from '../pictures/prepared-images.js';
import { drawReconstructions } from '../pictures/reconstruction-grid.js';
import { loadRunContext, storedConfig } from '../run/run-context.js';
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
    await loadDrawableWeights(engine, options.weights ?? (checkpoint as Checkpoint).path, context);
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
