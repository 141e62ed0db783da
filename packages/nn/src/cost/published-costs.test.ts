import { describe, expect, test } from 'vitest';
import {
  convNextMacs,
  depthwiseMacs,
  greenDecoderMacs,
  groupedBlockMacs,
  linearMacs,
  localMimHeadMacs,
  mffFusionMacs,
  patchEmbedMacs,
  patchMergingMacs,
  swinBlockMacs,
  tecAdapterMacs,
  tecAttentionHeadMacs,
  tecFeatureHeadMacs,
  vitBlockMacs,
  vitMacs,
  type LocalMimScale,
} from './index.js';

/** How a row reconstructs: everything, retained tokens only, or retained tokens first and the rest from them. */
type Mode = 'full' | 'partial' | 'progressive';

const CELLS = 196;
const VALUES = 768;
const VISIBLE_AND_CLASS = 50;
const DECODER = 512;
/** 224 x 224 images, 16 x 16 patches. */
const BASE = { cells: CELLS, patchValues: VALUES, width: 768, depth: 12 };
const LARGE = { cells: CELLS, patchValues: VALUES, width: 1024, depth: 24 };
const LOCAL_SCALES: readonly LocalMimScale[] = [4, 2, 1, 0.5];

const giga = (macs: number): number => macs / 1e9;
/** Class token, visible and retained tokens. */
const sequence = (thrown: number): number => 1 + CELLS - thrown;
/** Progressive reconstruction predicts the whole grid, the others what the decoder holds. */
const predicted = (mode: Mode, thrown: number): number => (mode === 'progressive' ? CELLS : sequence(thrown));
const aggregation = (mode: Mode, width: number, count = 1): number => (mode === 'progressive' ? count * depthwiseMacs(CELLS, width, 7) : 0);

function mae(mode: Mode, thrown: number, encoder = BASE): number {
  const tokens = sequence(thrown);
  return (
    vitMacs(encoder, VISIBLE_AND_CLASS) +
    linearMacs(VISIBLE_AND_CLASS, encoder.width, DECODER) +
    8 * vitBlockMacs(tokens, DECODER) +
    linearMacs(predicted(mode, thrown), DECODER, VALUES) +
    aggregation(mode, DECODER)
  );
}

const mff = (mode: Mode, thrown: number): number => mae(mode, thrown) + mffFusionMacs(VISIBLE_AND_CLASS, 768);

/** Mask tokens run through the encoder; the head sees patches only, the class token is dropped before it. */
const simMim = (mode: Mode, thrown: number): number =>
  vitMacs(BASE, sequence(thrown)) + linearMacs(mode === 'partial' ? CELLS - thrown : CELLS, 768, VALUES) + aggregation(mode, 768);

function localMim(mode: Mode, thrown: number): number {
  const width = 256;
  const decoder = linearMacs(VISIBLE_AND_CLASS, 768, width) + vitBlockMacs(sequence(thrown), width);
  const heads = LOCAL_SCALES.map((scale) => localMimHeadMacs(scale, CELLS, width, 27)).reduce((sum, macs) => sum + macs);
  return vitMacs(BASE, VISIBLE_AND_CLASS) + 4 * decoder + heads + aggregation(mode, width, 4);
}

function tec(mode: Mode, thrown: number): number {
  // The class token asks attention's first row and so passes the heads, aggregation or not.
  const headTokens = mode === 'progressive' ? CELLS + 1 : sequence(thrown);
  return (
    vitMacs(BASE, VISIBLE_AND_CLASS) +
    tecAdapterMacs({ width: 768, decoderWidth: DECODER, chunks: 4 }, VISIBLE_AND_CLASS) +
    2 * (linearMacs(VISIBLE_AND_CLASS, 768, DECODER) + 2 * vitBlockMacs(sequence(thrown), DECODER)) +
    tecFeatureHeadMacs(headTokens, DECODER, 768) +
    tecAttentionHeadMacs(headTokens, DECODER, 768, 9) +
    aggregation(mode, DECODER, 2)
  );
}

const teacher = vitMacs(BASE, CELLS + 1);
const tecWithTeacher = (mode: Mode, thrown: number): number => tec(mode, thrown) + teacher;

/** GreenMIM's 7 x 7 grid, 12 visible. */
function greenDecoder(mode: Mode, thrown: number, encoderWidth: number): number {
  const known = 49 - thrown;
  const size = { visible: 12, known, encoderWidth, width: DECODER, values: 3072 };
  return greenDecoderMacs(size, mode === 'partial' ? known : 49) + (mode === 'progressive' ? depthwiseMacs(49, DECODER, 7) : 0);
}

describe('costs of the table rows, G MACs an image', () => {
  type Row = readonly [name: string, cost: (mode: Mode, thrown: number) => number, thrown: number, full: number, partial: number, progressive: number];
  const rows: readonly Row[] = [
    ['MAE ViT-B, a quarter thrown', mae, 49, 9.781, 8.39, 8.414],
    ['MAE ViT-B, half thrown', mae, 98, 9.781, 7.039, 7.082],
    ['MAE ViT-B, 65 % thrown', mae, 127, 9.781, 6.257, 6.312],
    ['MAE ViT-L, half thrown', (mode, thrown) => mae(mode, thrown, LARGE), 98, 20.756, 18.013, 18.056],
    ['SimMIM ViT-B, half thrown', simMim, 98, 17.679, 8.763, 8.828],
    ['SimMIM ViT-B, 30 % thrown', simMim, 58, 17.679, 12.359, 12.401],
    ['LocalMIM ViT-B, half thrown', localMim, 98, 5.234, 4.866, 4.876],
    ['MFF ViT-B, half thrown', mff, 98, 9.929, 7.186, 7.229],
    ['TEC student, half thrown', tec, 98, 8.307, 6.839, 6.965],
    ['TEC with its teacher, half thrown', tecWithTeacher, 98, 25.87, 24.402, 24.528],
  ];
  test.each(rows)('%s', (_name, cost, thrown, full, partial, progressive) => {
    expect(giga(cost('full', 0)).toFixed(3)).toBe(full.toFixed(3));
    expect(giga(cost('partial', thrown)).toFixed(3)).toBe(partial.toFixed(3));
    expect(giga(cost('progressive', thrown)).toFixed(3)).toBe(progressive.toFixed(3));
  });

  test.each([
    ['MAE ViT-B, a quarter thrown', mae, 49, '0.858', '0.860'],
    ['MAE ViT-B, half thrown', mae, 98, '0.720', '0.724'],
    ['MAE ViT-B, 65 % thrown', mae, 127, '0.640', '0.645'],
    ['MAE ViT-L, half thrown', (mode: Mode, thrown: number) => mae(mode, thrown, LARGE), 98, '0.868', '0.870'],
    ['SimMIM ViT-B, half thrown', simMim, 98, '0.496', '0.499'],
    ['SimMIM ViT-B, 30 % thrown', simMim, 58, '0.699', '0.701'],
    ['LocalMIM ViT-B, half thrown', localMim, 98, '0.930', '0.932'],
    ['MFF ViT-B, half thrown', mff, 98, '0.724', '0.728'],
    ['TEC student, half thrown', tec, 98, '0.823', '0.838'],
    ['TEC with its teacher, half thrown', tecWithTeacher, 98, '0.943', '0.948'],
  ] as const)('%s, as ratios to full reconstruction', (_name, cost, thrown, partial, progressive) => {
    const full = cost('full', 0);
    expect((cost('partial', thrown) / full).toFixed(3)).toBe(partial);
    expect((cost('progressive', thrown) / full).toFixed(3)).toBe(progressive);
  });

  test.each([
    ['Swin-B', 128, '0.2400', 4.0821, '3.97', '4.01', '0.972', '0.981'],
    ['Swin-L', 192, '0.2431', 8.8949, '8.78', '8.82', '0.987', '0.991'],
  ] as const)('GreenMIM %s: the decoder, and what it changes of the whole', (_name, width, decoder, full, partial, progressive, partialRatio, progressiveRatio) => {
    // The encoder's cost depends on the mask, so the whole is the published mean plus the change in the decoder.
    const whole = (mode: Mode): number => full + giga(greenDecoder(mode, 24, width) - greenDecoder('full', 0, width));
    expect(giga(greenDecoder('full', 0, width)).toFixed(4)).toBe(decoder);
    expect(whole('partial').toFixed(2)).toBe(partial);
    expect(whole('progressive').toFixed(2)).toBe(progressive);
    expect((whole('partial') / full).toFixed(3)).toBe(partialRatio);
    expect((whole('progressive') / full).toFixed(3)).toBe(progressiveRatio);
  });

  test('aggregations at 196 tokens of width 512', () => {
    expect(giga(vitBlockMacs(CELLS, DECODER)).toFixed(4)).toBe('0.6559');
    expect(giga(convNextMacs(CELLS, DECODER)).toFixed(4)).toBe('0.4160');
    expect([3, 5, 7, 9, 11].map((kernel) => giga(depthwiseMacs(CELLS, DECODER, kernel)).toFixed(4))).toEqual(['0.0009', '0.0025', '0.0049', '0.0081', '0.0121']);
  });

  test('parts of MAE ViT-B, and the teacher', () => {
    const parts = {
      patch: patchEmbedMacs(CELLS, VALUES, 768),
      encoder: 12 * vitBlockMacs(VISIBLE_AND_CLASS, 768),
      decoderEmbed: linearMacs(VISIBLE_AND_CLASS, 768, DECODER),
      decoder: 8 * vitBlockMacs(197, DECODER),
      head: linearMacs(197, DECODER, VALUES),
    };
    expect(Object.values(parts).map((macs) => giga(macs).toFixed(4))).toEqual(['0.1156', '4.2928', '0.0197', '5.2756', '0.0775']);
    expect([148, 99, 70].map((tokens) => giga(8 * vitBlockMacs(tokens, DECODER)).toFixed(4))).toEqual(['3.9040', '2.5717', '1.8017']);
    expect(giga(teacher).toFixed(3)).toBe('17.563');
  });
});

describe('the anchors published in the text of the paper', () => {
  test('half thrown costs MAE 72 % and SimMIM 50 %', () => {
    for (const mode of ['partial', 'progressive'] as const) {
      expect(Math.abs(mae(mode, 98) / mae('full', 0) - 0.72)).toBeLessThanOrEqual(0.005);
      expect(Math.abs(simMim(mode, 98) / simMim('full', 0) - 0.5)).toBeLessThanOrEqual(0.005);
    }
  });
  test('the two denser aggregations add 0.65 and 0.41 G, cut to two digits', () => {
    const cut = (macs: number): number => Math.trunc(giga(macs) * 100) / 100;
    expect(cut(vitBlockMacs(CELLS, DECODER))).toBe(0.65);
    expect(cut(convNextMacs(CELLS, DECODER))).toBe(0.41);
  });
  test('half of the masked tokens instead of half of all would not come near 72 %', () => {
    expect((mae('partial', 73) / mae('full', 0)).toFixed(3)).toBe('0.790');
    expect((mae('progressive', 73) / mae('full', 0)).toFixed(3)).toBe('0.793');
  });
});

describe('window attention', () => {
  test('a Swin block pays attention for the window, not for the grid', () => {
    expect(swinBlockMacs(784, 256, 7)).toBe(12 * 256 * 256 * 784 + 2 * 49 * 784 * 256);
    // One window that holds every token is a plain block.
    expect(swinBlockMacs(49, 512, 7)).toBe(vitBlockMacs(49, 512));
  });
  test('patch merging costs two square maps a token', () => {
    expect(patchMergingMacs(3136, 128)).toBe(2 * 128 * 128 * 3136);
  });
  test('GreenMIM: one group is a plain block, padding is paid for', () => {
    expect(groupedBlockMacs(1, 48, 512)).toBe(vitBlockMacs(48, 512));
    expect(groupedBlockMacs(16, 49, 128)).toBeGreaterThan(groupedBlockMacs(16, 48, 128));
    // Figures of the greedy search over group sizes: 7 groups of 28 are cheaper than what size 21 gives.
    expect((groupedBlockMacs(7, 28, 128) / 1e6).toFixed(1)).toBe('39.9');
  });
});

test('LocalMIM heads by scale', () => {
  const heads = LOCAL_SCALES.map((scale) => giga(localMimHeadMacs(scale, CELLS, 256, 27)).toFixed(4));
  expect(heads).toEqual(['0.0568', '0.0284', '0.0014', '0.0003']);
});
