import type { HostTensor, ImageSpec } from '@mimlab/core';
import type { StepDefinition } from '@mimlab/engine';
import { hogOfCells, hogOfImages, orientationsOf } from '@mimlab/nn';
import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectNear, gapBetween } from './closeness.js';
import { describeGolden, engines, loadGolden, tensorOf, type Golden } from './golden-cases.js';
import { channelsLast, entry } from './mae-case.js';

/** An independent implementation agreed this closely with the official layer (golden/hog/README.md). */
const HISTOGRAMS = 2e-6;
const FILTERS = 1e-5;

/** One stored result: cells of `pool` pixels and `bins` bins over the images of a set. */
interface HogSet {
  readonly images: HostTensor;
  readonly reference: HostTensor;
  readonly bins: number;
  readonly pool: number;
  readonly bias: readonly [number, number] | undefined;
}

function setsOf(golden: Golden): [name: string, set: HogSet][] {
  return Object.entries(golden.tensors).flatMap(([name, reference]): [string, HogSet][] => {
    const match = /^(.+)\.hog\.nbins(\d+)\.pool(\d+)$/.exec(name);
    if (match === null) return [];
    const bias = golden.tensors[`${match[1]}.value`]?.data;
    const images = channelsLast(tensorOf(golden, `${match[1]}.images`));
    return [[name, { images, reference, bins: Number(match[2]), pool: Number(match[3]), bias: bias === undefined ? undefined : [bias[0] as number, bias[1] as number] }]];
  });
}

const imageOf = ({ shape }: HostTensor): ImageSpec => ({ height: shape[1] as number, width: shape[2] as number, channels: shape[3] as number });

/**
 * Whether a value of the result says anything. With an even number of bins and no bias, border rows lie on the edge of a
 * bin: the official layer decides them by its own rounding where pixels are no whole numbers.
 */
function decided({ images, reference, bins, pool, bias }: HogSet): (index: number) => boolean {
  if (bins % 2 === 1 || bias !== undefined || images.data.every((value) => Number.isInteger(value))) return () => true;
  const { height, width } = imageOf(images);
  const [, cells, values] = reference.shape as [number, number, number];
  const rows = height / pool;
  return (index) => {
    const row = Math.floor((Math.floor(index / values) % cells) / (width / pool));
    return row > 0 && row < rows - 1;
  };
}

describeGolden('hog', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const sets = setsOf(golden);

    it('holds results', () => expect(sets.length).toBeGreaterThan(0));

    it.each(sets)('%s on the host', (name, set) => {
      const { images, reference, bins, pool, bias } = set;
      const found = Array.from({ length: images.shape[0] as number }, (_, b) => [
        ...hogOfCells(orientationsOf(entry(images, b).data, imageOf(images), bins, bias), { height: pool, width: pool }),
      ]);
      expectNear(name, { shape: reference.shape, dtype: 'float32', data: Float32Array.from(found.flat()) }, reference, HISTOGRAMS, decided(set));
    });

    describe.each(engines())('on the $name engine', ({ create }) => {
      it.each(sets)('%s', async (name, set) => {
        const { images, reference, bins, pool, bias } = set;
        const definition: StepDefinition = {
          name: 'parity.hog',
          state: [],
          compute: (_, inputs) => ({ outputs: { hog: hogOfImages(inputs['images'] as Tensor4D, { height: pool, width: pool }, bins, inputs['bias'] as Tensor1D | undefined).reshape([...reference.shape]) } }),
        };
        const fed = { images, ...(bias === undefined ? {} : { bias: { shape: [2], dtype: 'float32' as const, data: Float32Array.from(bias) } }) };
        const engine = await create();
        try {
          const step = engine.compile(definition);
          const { outputs } = await step.run(fed, { outputs: ['hog'] });
          step.dispose();
          expectNear(name, outputs['hog'] as HostTensor, reference, HISTOGRAMS, decided(set));
        } finally {
          engine.dispose();
        }
      });
    });

    it('has the stored magnitudes and bins of the first smooth image, red channel', () => {
      if (golden.tensors['debug.bin'] === undefined) return;
      const images = entry(channelsLast(tensorOf(golden, 'smooth.images')), 0);
      const red = images.data.filter((_, i) => i % 3 === 0);
      const [height, width] = images.shape as [number, number];
      const found = orientationsOf(red, { height, width, channels: 1 }, 9);
      expect(gapBetween(found.magnitude, tensorOf(golden, 'debug.mag').data).absolute).toBeLessThanOrEqual(FILTERS);
      expect([...found.bin]).toEqual([...tensorOf(golden, 'debug.bin').data]);
    });
  });
});
