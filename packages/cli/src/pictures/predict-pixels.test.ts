import { ConfigError, type HostTensor, type Objective, type ObjectiveBatch, type TokenPlan } from '@mimlab/core';
import { createEngine, type Engine } from '@mimlab/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pictureCaption, predictPixels, stackImages, type PredictPixelsOptions } from './predict-pixels.js';

let engine: Engine;
beforeAll(async () => {
  engine = await createEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
});
afterAll(() => {
  engine.dispose();
});

/** Pixels are their own normalised values. */
const statistics = { mean: [0], std: [1 / 255] };
/** Four cells of two pixels each, side by side: 0 1 above 2 3. */
const grid = { rows: 2, columns: 2 };
const image = { height: 2, width: 4, channels: 1 };
const plan: TokenPlan = { grid, visible: Int32Array.of(0), retained: Int32Array.of(3), thrown: Int32Array.of(1, 2) };

interface Fake {
  /** Two numbers a token, the same for every image. */
  readonly predicted: readonly number[];
  readonly cells: 'grid' | 'known' | 'retained';
  readonly standardized?: boolean;
  readonly scope?: 'image' | 'batch';
  readonly branch?: string;
}

interface Asked {
  readonly sampleId: number;
  readonly state: Float32Array | undefined;
  readonly draw: number;
}

/** A run that predicts what it is told to. */
function fake({ predicted, cells, standardized = false, scope = 'image', branch = 'pixels' }: Fake) {
  const asked: Asked[] = [];
  const hosts: (readonly number[])[] = [];
  const objective = {
    image,
    grid,
    sampler: {
      scope,
      counts: () => ({ visible: 1, retained: 1, thrown: 2 }),
      sample: ({ sampleId, state, streams }: { sampleId: number; state?: Float32Array; streams: { mask: { int: (below: number) => number } } }) => {
        asked.push({ sampleId, state, draw: streams.mask.int(1e6) });
        return plan;
      },
    },
    target: {
      picture: { branch, values: 'pixels', standardized },
      hostTargets: { shapes: { first: [1] }, compute: (pixels: Uint8Array) => ({ first: Float32Array.of(pixels[0] as number) }) },
    },
    params: () => ({}),
    randomInputs: () => ({}),
    evaluate: ({ plan: { batch }, host }: ObjectiveBatch) => {
      hosts.push([...(host?.['first'] as tf.Tensor).dataSync()]);
      return { predictions: { pixels: { cells, values: { pixels: tf.tile(tf.tensor3d([...predicted], [1, predicted.length / 2, 2]), [batch, 1, 1]) } } } };
    },
  } as unknown as Objective;
  return { objective, asked, hosts };
}

const IMAGE = Uint8Array.of(10, 20, 30, 40, 50, 60, 70, 80);
async function drawn(run: Fake, changed: Partial<PredictPixelsOptions> = {}): Promise<number[]> {
  const [row] = await predictPixels({ objective: fake(run).objective, engine, statistics, images: [IMAGE], seed: 0, source: 'visible', ...changed });
  return [...(row?.reconstruction.pixels ?? [])];
}

describe('a reconstruction', () => {
  it('shows visible patches as they are and hidden ones as predicted', async () => {
    expect(await drawn({ cells: 'grid', predicted: [1, 2, 3, 4, 5, 6, 7, 8] })).toEqual([10, 20, 3, 4, 5, 6, 7, 8]);
  });

  it('is grey where nothing was predicted', async () => {
    expect(await drawn({ cells: 'retained', predicted: [7, 8] })).toEqual([10, 20, 128, 128, 128, 128, 7, 8]);
  });

  it('knows that predictions of known tokens begin with the visible ones', async () => {
    expect(await drawn({ cells: 'known', predicted: [1, 2, 7, 8] })).toEqual([10, 20, 128, 128, 128, 128, 7, 8]);
  });

  it('is clipped to what a picture can show', async () => {
    expect(await drawn({ cells: 'retained', predicted: [-50, 900] })).toEqual([10, 20, 128, 128, 128, 128, 0, 255]);
  });

  it('brings normalised patches back by the visible ones, which say nothing of the hidden ones', async () => {
    const run: Fake = { cells: 'retained', predicted: [0, 0], standardized: true };
    expect((await drawn(run)).slice(6)).toEqual([15, 15]);
    expect((await drawn(run, { images: [Uint8Array.of(10, 20, 0, 0, 0, 0, 255, 255)] })).slice(6)).toEqual([15, 15]);
  });

  it('brings them back by their own statistics where an oracle is asked for', async () => {
    expect((await drawn({ cells: 'retained', predicted: [0, 0], standardized: true }, { source: 'oracle' })).slice(6)).toEqual([75, 75]);
  });

  it('keeps images, host targets and plans of several images apart', async () => {
    const { objective, hosts } = fake({ cells: 'retained', predicted: [7, 8] });
    const rows = await predictPixels({ objective, engine, statistics, images: [IMAGE, IMAGE.map((value) => value + 1)], seed: 0, source: 'visible' });
    expect(rows.map(({ reconstruction }) => reconstruction.pixels[0])).toEqual([10, 11]);
    expect(rows.map(({ original }) => original.pixels[7])).toEqual([80, 81]);
    expect(hosts).toEqual([[10, 11]]);
  });
});

describe('the masks of reconstructions', () => {
  const masks = async (run: Partial<Fake>, changed: Partial<PredictPixelsOptions> = {}): Promise<readonly Asked[]> => {
    const { objective, asked } = fake({ cells: 'grid', predicted: [1, 2, 3, 4, 5, 6, 7, 8], ...run });
    await predictPixels({ objective, engine, statistics, images: [IMAGE, IMAGE], seed: 0, source: 'visible', ...changed });
    return asked;
  };

  it('are drawn for each image, the same for the same seed and others for another', async () => {
    const first = await masks({});
    expect(first.map(({ sampleId }) => sampleId)).toEqual([0, 1]);
    expect(first[0]?.draw).not.toBe(first[1]?.draw);
    expect(await masks({})).toEqual(first);
    expect((await masks({}, { seed: 1 }))[0]?.draw).not.toBe(first[0]?.draw);
  });

  it('are drawn once where a batch shares one', async () => {
    expect(await masks({ scope: 'batch' })).toHaveLength(1);
  });

  it('follow what is kept of each image', async () => {
    const states = [Float32Array.of(1), Float32Array.of(2)];
    expect((await masks({}, { states })).map(({ state }) => state)).toEqual(states);
  });
});

describe('a run that cannot be drawn', () => {
  it('predicts no pixels', async () => {
    const objective = { target: {} } as unknown as Objective;
    const error: unknown = await predictPixels({ objective, engine, statistics, images: [IMAGE], seed: 0, source: 'visible' }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain('predicts no pixels');
  });

  it('has a decoder without the branch that its target names', async () => {
    await expect(drawn({ cells: 'grid', predicted: [1, 2], branch: 'colour' })).rejects.toThrow("the decoder predicts nothing named 'colour.pixels'");
  });
});

it('images become one batch, one after the other', () => {
  const batch: HostTensor = stackImages([Uint8Array.of(1, 2), Uint8Array.of(3, 4)], { height: 1, width: 2, channels: 1 });
  expect(batch).toEqual({ shape: [2, 1, 2, 1], dtype: 'uint8', data: Uint8Array.of(1, 2, 3, 4) });
});

describe('the caption', () => {
  const caption = (standardized: boolean, source: 'visible' | 'oracle'): string => pictureCaption(fake({ cells: 'grid', predicted: [], standardized }).objective, source).join('\n');

  it('says in which space patches were predicted', () => {
    expect(caption(false, 'oracle')).toBe('predicted: pixels; visible patches pasted in');
    expect(caption(true, 'visible')).toMatch(/^predicted: patch-normalised pixels; .*\n.*guessed from visible patches \(no leak\)$/);
  });

  it('shouts where the answer was given away', () => {
    expect(caption(true, 'oracle')).toContain('ORACLE');
  });
});
