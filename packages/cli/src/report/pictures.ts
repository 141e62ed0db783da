import { MimlabError, type Grid, type ImageSpec, type TokenPlan } from '@mimlab/core';
import { createEngine, type Engine } from '@mimlab/engine';
import { samplerStateOf, type Checkpoint } from '@mimlab/train';
import { loadDrawableWeights } from '../pictures/drawable-weights.js';
import { pictureCaption, predictPixels, stackImages } from '../pictures/predict-pixels.js';
import { spreadTestImages } from '../pictures/prepared-images.js';
import { runStatistics } from '../run/train-run.js';
import { attentionMaps, type AttentionMaps } from './attention.js';
import type { ReportRun } from './report-run.js';
import { imageUri } from './tiles.js';

/** Something a report shows, or one sentence that says why it cannot. */
export type Shown<T> = { readonly shown: T } | { readonly missing: string };

/** Reconstructions by one checkpoint. */
export interface GalleryFrame {
  /** Updates done. */
  readonly update: number;
  /** Data URIs, one an image: visible patches as they are, hidden ones as predicted. */
  readonly pictures: readonly string[];
  readonly plans: readonly TokenPlan[];
}

export interface Gallery {
  readonly image: ImageSpec;
  readonly grid: Grid;
  /** Data URIs. */
  readonly originals: readonly string[];
  /** Oldest first, at least one. */
  readonly frames: readonly GalleryFrame[];
  /** In which space patches were predicted and how they were brought back. */
  readonly caption: readonly string[];
}

export interface AttentionGallery {
  readonly image: ImageSpec;
  readonly update: number;
  readonly originals: readonly string[];
  readonly maps: readonly AttentionMaps[];
}

export interface RunPictures {
  readonly gallery: Shown<Gallery>;
  readonly attention: Shown<AttentionGallery>;
}

/** One that cannot be drawn has neither. */
const neither = (missing: string): RunPictures => ({ gallery: { missing }, attention: { missing } });

/**
 * Draws what a run's checkpoints make of a few test images. What stands in the way (no checkpoint, data that is not here,
 * a target that is no picture) becomes the sentence to show instead.
 * @param progress told before each checkpoint
 */
export async function drawRun(run: ReportRun, count: number, progress: (done: number, total: number) => void): Promise<RunPictures> {
  const newest = run.checkpoints.at(-1);
  if (newest === undefined) return neither('This run has no checkpoint yet.');
  try {
    const { objective, config } = run.context;
    const images = await spreadTestImages(run.context, count);
    const statistics = await runStatistics(run.context);
    const engine = await createEngine({ ...config.engine, kind: 'eager', precision: 'fp32' });
    try {
      const source = { objective, engine, statistics };
      const originals = await Promise.all(images.map((pixels) => imageUri(pixels, objective.image)));
      const frames: GalleryFrame[] = [];
      const drawable = objective.target.picture !== undefined;
      for (const [done, checkpoint] of (drawable ? run.checkpoints : [newest]).entries()) {
        progress(done, run.checkpoints.length);
        await loadDrawableWeights(engine, checkpoint.path, run.context);
        if (drawable) frames.push(await drawFrame(run, engine, checkpoint, images, statistics));
      }
      progress(run.checkpoints.length, run.checkpoints.length);
      const maps = await attentionMaps(source, images);
      const { image, grid } = objective;
      return {
        gallery: drawable
          ? { shown: { image, grid, originals, frames, caption: pictureCaption(objective, 'visible') } }
          : { missing: 'The target of this run predicts no pixels, so there is nothing to draw.' },
        attention: maps === undefined ? { missing: 'The encoder of this run offers no attention of a class token.' } : { shown: { image, update: newest.state.update, originals, maps } },
      };
    } finally {
      engine.dispose();
    }
  } catch (error) {
    if (!(error instanceof MimlabError)) throw error;
    return neither(`It could not be drawn here: ${error.problem}${error.place === undefined ? '' : ` (${error.place})`}.`);
  }
}

type Statistics = Parameters<typeof predictPixels>[0]['statistics'];

async function drawFrame({ context }: ReportRun, engine: Engine, { state }: Checkpoint, images: readonly Uint8Array[], statistics: Statistics): Promise<GalleryFrame> {
  const { objective, config } = context;
  // A sampler that follows attention does so once its checkpoints hold some.
  const attends = objective.sampler.state !== undefined && state.samplerState !== undefined;
  const states = attends ? await samplerStateOf({ objective, engine, statistics }, stackImages(images, objective.image)) : undefined;
  const rows = await predictPixels({ objective, engine, statistics, images, seed: config.seed, source: 'visible', ...(states === undefined ? {} : { states }) });
  return {
    update: state.update,
    pictures: await Promise.all(rows.map(({ reconstruction }) => imageUri(reconstruction.pixels, objective.image))),
    plans: rows.map(({ plan }) => plan),
  };
}
