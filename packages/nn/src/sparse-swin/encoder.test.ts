import * as tf from '@tensorflow/tfjs';
import { planTensors, randomStream, stackPlans, type Params, type ParamSpecs, type PlanTensors, type TokenPlan } from '@mimlab/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { patchify } from '../images/patchify.js';
import { layerNorm } from '../layers/layer-norm.js';
import { linear } from '../layers/linear.js';
import { joinCells, reduceCells } from '../swin/patch-merging.js';
import { denseSwin } from '../swin/stages.js';
import { sparseSwin, sparseSwinEncoder, type SparseSwinOptions } from './encoder.js';
import { sparseSwinStages, visibleCells } from './stages.js';
import { sparseTables } from './tables.js';
import type { GroupSize } from './windows.js';

// 16 x 16 patches, three stages on 16, 8 and 4 tokens a side; the last works in one window.
const options: SparseSwinOptions = {
  image: { height: 32, width: 32, channels: 1 },
  patch: { height: 2, width: 2 },
  width: 4,
  depths: [2, 2, 1],
  heads: [1, 2, 2],
  window: 4,
  mlpRatio: 2,
  embedPatches: 'visible',
  grouping: 'compact',
};
const stages = sparseSwinStages(options);
const grid = { rows: 4, columns: 4 };
const shown = Int32Array.of(1, 2, 4, 7, 13);

const planOf = (visible: Int32Array, rule: GroupSize = 'compact'): TokenPlan => ({
  grid,
  visible,
  retained: Int32Array.from({ length: 16 }, (_, cell) => cell).filter((cell) => !visible.includes(cell)),
  thrown: new Int32Array(0),
  aux: sparseTables(stages, visible, rule),
});
const withoutTables = (plan: TokenPlan): TokenPlan => ({ ...plan, aux: {} });
const tensorsOf = (plan: TokenPlan, batch = 2): PlanTensors => {
  const inputs = stackPlans(Array<TokenPlan>(batch).fill(plan), { shared: true });
  return planTensors(Object.fromEntries(Object.entries(inputs).map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape], 'int32')])), grid);
};
const paramsOf = (specs: ParamSpecs): Params =>
  Object.fromEntries(Object.entries(specs).map(([name, { shape }]) => {
    const random = randomStream('values', name);
    const size = shape.reduce((a, b) => a * b, 1);
    return [name, tf.tensor(Float32Array.from({ length: size }, () => 0.3 * random.normal()), [...shape])];
  }));
const images = (): tf.Tensor4D => tf.tensor4d(Float32Array.from({ length: 2 * 1024 }, (_, i) => Math.sin(1.7 * i + (i % 31))), [2, 32, 32, 1]);
const context = { training: false, random: {} };

const largestGap = (a: tf.Tensor, b: tf.Tensor): number => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0] as number;
/** A number that depends on every output in its own way. */
const mixed = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(x, tf.reshape(tf.sin(tf.range(0, x.size)), x.shape)));

beforeAll(async () => {
  tf.enableProdMode();
  await tf.setBackend('cpu');
});

describe('the sparse Swin', () => {
  it('gives the features of visible units, whichever way windows are grouped and patches embedded', () => {
    tf.tidy(() => {
      const features = (['compact', 'released', 'searched'] as const).flatMap((grouping) =>
        (['visible', 'all'] as const).map((embedPatches) => {
          const encoder = sparseSwinEncoder({ ...options, grouping, embedPatches });
          return encoder.encode(images(), tensorsOf(planOf(shown, grouping)), paramsOf(encoder.params()), context)['latent']!;
        }),
      );
      expect(features[0]!.shape).toEqual([2, 5, 16]);
      for (const other of features.slice(1)) expect(largestGap(features[0]!, other)).toBeLessThan(1e-4);
    });
  });

  it.each(['compact', 'released', 'searched'] as const)('is the dense Swin where every unit is visible, values and gradients, with %s groups', (grouping) => {
    tf.tidy(() => {
      const all = Int32Array.from({ length: 16 }, (_, cell) => cell);
      const specs = Object.fromEntries(Object.entries(sparseSwinEncoder(options).params()).filter(([name]) => name.startsWith('encoder.layers.')));
      const params = paramsOf(specs);
      const raster = tf.reshape(images(), [2, 256, 4]);
      const nested = tf.reshape(tf.gather(raster, tf.tensor1d(visibleCells(all, stages[0]!), 'int32'), 1), [512, 4]);
      const plan = tensorsOf(planOf(all, grouping));
      const names = Object.keys(params);
      const outcome = (run: (values: Params) => tf.Tensor): { value: tf.Tensor; grads: tf.Tensor[] } =>
        tf.valueAndGrads((...values) => mixed(run(Object.fromEntries(names.map((name, i) => [name, values[i]!])))))(names.map((name) => params[name]!));
      const sparse = outcome((values) => sparseSwin(nested as tf.Tensor2D, plan, values, { stages, grouping, wholeWindows: false }).at(-1)!);
      const dense = outcome((values) => denseSwin(tf.reshape(raster, [512, 4]), values, stages, { batch: 2, prefix: 'encoder.', epsilon: 1e-6 }).at(-1)!);
      expect(Math.abs((sparse.value.dataSync()[0] as number) / (dense.value.dataSync()[0] as number) - 1)).toBeLessThan(1e-4);
      names.forEach((name, i) => {
        const scale = tf.max(tf.abs(dense.grads[i]!)).dataSync()[0] as number;
        expect(largestGap(sparse.grads[i]!, dense.grads[i]!), name).toBeLessThan(1e-3 * scale + 1e-5);
      });
    });
  });

  it('has the same gradients with compact and with released groups, image gradients of all patches included', () => {
    tf.tidy(() => {
      const [compact, released] = (['compact', 'released'] as const).map((grouping) => {
        const encoder = sparseSwinEncoder({ ...options, grouping, embedPatches: grouping === 'compact' ? 'visible' : 'all' });
        const params = paramsOf(encoder.params());
        const names = Object.keys(params);
        const loss = (...values: tf.Tensor[]): tf.Scalar =>
          mixed(encoder.encode(images(), tensorsOf(planOf(shown, grouping)), Object.fromEntries(names.map((name, i) => [name, values[i]!])), context)['latent']!);
        return Object.fromEntries(tf.grads(loss)(names.map((name) => params[name]!)).map((grad, i) => [names[i]!, grad]));
      });
      for (const [name, grad] of Object.entries(compact!)) {
        const scale = tf.max(tf.abs(grad)).dataSync()[0] as number;
        expect(scale, name).toBeGreaterThan(0);
        expect(largestGap(grad, released![name]!), name).toBeLessThan(1e-3 * scale + 1e-5);
      }
    });
  });

  it('encodes whole images without tables', () => {
    tf.tidy(() => {
      const encoder = sparseSwinEncoder(options);
      const all = Int32Array.from({ length: 16 }, (_, cell) => cell);
      expect(encoder.encode(images(), tensorsOf(withoutTables(planOf(all))), paramsOf(encoder.params()), context)['latent']!.shape).toEqual([2, 16, 16]);
    });
  });

  it('encodes whole images without tables in windows that do not fit the grids, too', () => {
    tf.tidy(() => {
      const cut = { ...options, window: 3, grouping: 'released' } as const;
      const encoder = sparseSwinEncoder(cut);
      const params = paramsOf(encoder.params());
      const all = planOf(Int32Array.from({ length: 16 }, (_, cell) => cell));
      const whole = encoder.encode(images(), tensorsOf(withoutTables(all)), params, context)['latent']!;
      const cutStages = sparseSwinStages(cut);
      const patches = tf.reshape(patchify(images(), cut.patch), [2, 256, 4]);
      const ordered = tf.gather(patches, tf.tensor1d(visibleCells(all.visible, cutStages[0]!), 'int32'), 1);
      const rows = layerNorm(linear(tf.reshape(ordered, [512, 4]), params, 'encoder.patch_embed.proj'), params, 'encoder.patch_embed.norm');
      const plan = tensorsOf({ ...all, aux: sparseTables(cutStages, all.visible, 'released') });
      const normed = layerNorm(sparseSwin(rows, plan, params, { stages: cutStages, grouping: 'released', wholeWindows: false }).at(-1)!, params, 'encoder.norm');
      expect(largestGap(tf.reshape(normed, whole.shape), whole)).toBeLessThan(1e-3);
    });
  });

  it('refuses a masked plan without tables, and says where they come from', () => {
    const encoder = sparseSwinEncoder(options);
    expect(() => tf.tidy(() => encoder.encode(images(), tensorsOf(withoutTables(planOf(shown))), paramsOf(encoder.params()), context)['latent']!)).toThrow(
      /plan\.aux\.cells: the plan lacks this array.*\n.*Take the sampler from the plugin/,
    );
  });

  it('does not look at hidden patches', () => {
    tf.tidy(() => {
      const encoder = sparseSwinEncoder(options);
      const params = paramsOf(encoder.params());
      const plan = tensorsOf(planOf(Int32Array.of(0)));
      // Unit 0 is the upper left 8 x 8 pixels.
      const rows = tf.range(0, 32, 1, 'int32');
      const outside = tf.cast(tf.greaterEqual(tf.maximum(tf.reshape(rows, [32, 1]), tf.reshape(rows, [1, 32])), tf.scalar(8, 'int32')), 'float32');
      const altered = tf.add(images(), tf.reshape(tf.mul(outside, 5), [1, 32, 32, 1])) as tf.Tensor4D;
      const [before, after] = [images(), altered].map((pixels) => encoder.encode(pixels, plan, params, context)['latent']!);
      expect(largestGap(before!, after!)).toBe(0);
    });
  });

  it.each([{}, { joining: 'rows', misplaced: true }] as const)('gives whole images the same on whole windows and in groups, with %j', (order) => {
    tf.tidy(() => {
      const encoder = sparseSwinEncoder({ ...options, ...order });
      const params = paramsOf(encoder.params());
      const ordered = sparseSwinStages({ ...options, ...order });
      const all = Int32Array.from({ length: 16 }, (_, cell) => cell);
      const plan = tensorsOf({ ...planOf(all), aux: sparseTables(ordered, all, 'compact') });
      const patches = tf.gather(tf.reshape(patchify(images(), options.patch), [2, 256, 4]), tf.tensor1d(visibleCells(all, ordered[0]!), 'int32'), 1);
      const rows = layerNorm(linear(tf.reshape(patches, [512, 4]), params, 'encoder.patch_embed.proj'), params, 'encoder.patch_embed.norm');
      const grouped = layerNorm(sparseSwin(rows, plan, params, { stages: ordered, grouping: 'compact', wholeWindows: false }).at(-1)!, params, 'encoder.norm');
      const whole = encoder.encode(images(), tensorsOf(withoutTables(planOf(all))), params, context)['latent']!;
      expect(largestGap(tf.reshape(grouped, whole.shape), whole)).toBeLessThan(1e-3);
    });
  });

  it('joins row by row what exchanged merging weights join column by column', () => {
    tf.tidy(() => {
      const encodeWith = (joining: 'rows' | 'columns', params: Params): tf.Tensor => {
        const encoder = sparseSwinEncoder({ ...options, joining });
        const plan = { ...planOf(shown), aux: sparseTables(sparseSwinStages({ ...options, joining }), shown, 'compact') };
        return encoder.encode(images(), tensorsOf(plan), params, context)['latent']!;
      };
      const columns = paramsOf(sparseSwinEncoder(options).params());
      // The middle two of the four joined tokens change places.
      const rows = Object.fromEntries(
        Object.entries(columns).map(([name, tensor]) => [name, name.includes('.downsample.') ? tf.concat([0, 2, 1, 3].map((quarter) => tf.split(tensor, 4)[quarter]!)) : tensor]),
      );
      expect(largestGap(encodeWith('rows', rows), encodeWith('columns', columns))).toBeLessThan(1e-4);
      expect(largestGap(encodeWith('rows', columns), encodeWith('columns', columns))).toBeGreaterThan(1e-2);
    });
  });
});

describe('the sparse Swin read behind every stage', () => {
  const read = { ...options, readings: 'stages' } as const;

  it('has a feature for each, with the tokens of a unit side by side', () => {
    expect(Object.entries(sparseSwinEncoder(read).features).map(([name, { width }]) => [name, width])).toEqual([['tap0', 2 * 2 * 8], ['tap1', 16], ['latent', 16]]);
    expect(Object.entries(sparseSwinEncoder(read).params()).flatMap(([name, { shape }]) => (/encoder\.norm.*weight/.test(name) ? [[name, ...shape]] : []))).toEqual([
      ['encoder.norm.0.weight', 8],
      ['encoder.norm.1.weight', 16],
      ['encoder.norm.2.weight', 16],
    ]);
  });

  it.each(['rows', 'columns'] as const)('gives the tokens of a unit in raster order, joined by %s', (joining) => {
    tf.tidy(() => {
      const encoder = sparseSwinEncoder({ ...read, joining });
      const params = paramsOf(encoder.params());
      const all = Int32Array.from({ length: 16 }, (_, cell) => cell);
      const { tap0 } = encoder.encode(images(), tensorsOf(withoutTables(planOf(all))), params, context);
      // Patches of 2 pixels, merged to 8 x 8 tokens; unit 6 is that of row 1, column 2: tokens of rows 2 and 3, columns 4 and 5.
      const embedded = layerNorm(linear(patchify(images(), options.patch), params, 'encoder.patch_embed.proj'), params, 'encoder.patch_embed.norm');
      const [first] = sparseSwinStages(options);
      const blocks = denseSwin(embedded, params, [{ ...first!, merges: false }], { batch: 2, prefix: 'encoder.', epsilon: 1e-6 })[0]!;
      const joined = joinCells(blocks, first!.grid);
      const inOrder = joining === 'columns' ? joined : tf.concat([0, 2, 1, 3].map((quarter) => tf.split(joined, 4, 1)[quarter]!), 1);
      const merged = layerNorm(reduceCells(inOrder as tf.Tensor2D, params, 'encoder.layers.0.downsample', 1e-6), params, 'encoder.norm.0');
      const tokens = tf.gather(tf.reshape(merged, [2, 64, 8]), [20, 21, 28, 29], 1);
      expect(largestGap(tf.reshape(tf.slice(tap0!, [0, 6, 0], [2, 1, 32]), [2, 4, 8]), tokens)).toBeLessThan(1e-4);
    });
  });
});
