import { fromFileLayout, type HostTensor, type NamedTensors, type ParamSpecs } from '@mimlab/core';
import { mergePatches, patchMergingParams, relativeIndex, swinBlock, swinBlockParams, windowAttention, windowsOf } from '@mimlab/nn';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectClose } from './closeness.js';
import { engines, type AvailableEngine } from './engines.js';
import { describeGolden, loadGolden, tensorOf, withoutPrefix, type Golden } from './golden-cases.js';

const OUTPUTS = 5e-5;
const BlockCase = z.object({ resolution: z.int(), window: z.int(), shift: z.int(), heads: z.int(), dim: z.int() });
const MergeCase = z.object({ resolution: z.int(), dim: z.int() });

/** Tensors named `PREFIX...` with the numbers of their names. */
const numbered = (golden: Golden, pattern: RegExp): [string, number[], HostTensor][] =>
  Object.entries(golden.tensors).flatMap(([name, tensor]) => {
    const found = pattern.exec(name);
    return found === null ? [] : [[name, found.slice(1).filter(Boolean).map(Number), tensor]];
  });

/** Runs `compute` on the stored parameters and input, rows [B * N, C], on an engine. */
async function computed(
  golden: Golden,
  { create }: AvailableEngine,
  prefix: string,
  specs: ParamSpecs,
  compute: (x: Tensor2D, params: NamedTensors) => Tensor2D,
): Promise<HostTensor> {
  const stored = withoutPrefix(golden.tensors, `${prefix}.param.`);
  const { shape, data } = tensorOf(golden, `${prefix}.input`);
  const [batch, cells, width] = shape as [number, number, number];
  const engine = await create();
  try {
    const initial = (name: string): Float32Array => {
      const { layout, shape: sides } = specs[`${prefix}.${name}`] as ParamSpecs[string];
      return fromFileLayout(layout, stored[name] as HostTensor, sides).data as Float32Array;
    };
    expect(Object.keys(stored).map((name) => `${prefix}.${name}`).sort(), 'names of the parameters').toEqual(Object.keys(specs).sort());
    await engine.define(Object.fromEntries(Object.keys(stored).map((name) => [`${prefix}.${name}`, { shape: specs[`${prefix}.${name}`]!.shape, init: () => initial(name) }])));
    const step = engine.compile({
      name: 'parity.swin',
      state: Object.keys(specs),
      compute: (state, inputs) => ({ outputs: { out: compute(inputs['x'] as Tensor2D, state) } }),
    });
    const { outputs } = await step.run({ x: { shape: [batch * cells, width], dtype: 'float32', data } }, { outputs: ['out'] });
    step.dispose();
    const out = outputs['out'] as HostTensor;
    return { ...out, shape: tensorOf(golden, `${prefix}.output`).shape };
  } finally {
    engine.dispose();
  }
}

describeGolden('swin-attention', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const indices = [...numbered(golden, /^swin\.rel_index\.w(\d+)(?:x(\d+))?$/), ...numbered(golden, /^vit\.rel_index\.(\d+)x(\d+)$/)];
    const masks = numbered(golden, /^swin\.attn_mask\.h(\d+)\.w(\d+)\.s(\d+)$/);

    it('compares indices and masks', () => {
      expect(indices.length + masks.length).toBeGreaterThan(0);
    });

    it.each(indices)('%s: the same index of relative positions', (name, [rows = 0, columns = rows], { data }) => {
      expect([...relativeIndex({ rows, columns }, name.startsWith('vit.'))]).toEqual([...data]);
    });

    it.each(masks)('%s: the same mask', (_, [side = 0, window = 0, shift = 0], { data }) => {
      expect([...(windowsOf({ rows: side, columns: side }, window, shift).mask ?? [])]).toEqual([...data]);
    });

    const { block, merge } = golden.metadata;
    describe.each(engines())('on the $name engine', (engine) => {
      it.skipIf(block === undefined)('gives the output of a shifted block', async () => {
        const { resolution, window, shift, heads, dim } = BlockCase.parse(JSON.parse(block as string));
        const windows = windowsOf({ rows: resolution, columns: resolution }, window, shift);
        const { shape } = tensorOf(golden, 'block.input');
        const ids = golden.tensors['block.window_token_ids'];
        if (ids !== undefined) expect([...windows.order]).toEqual([...ids.data]);
        const hidden = tensorOf(golden, 'block.param.mlp.fc1.weight').shape[0] as number;
        const specs = swinBlockParams('block', { width: dim, heads, mlpRatio: hidden / dim, window });
        const out = await computed(golden, engine, 'block', specs, (x, params) =>
          swinBlock(x, params, 'block', (normed) => windowAttention(normed, params, 'block.attn', { batch: shape[0] as number, heads, windows })),
        );
        expectClose('block.output', out, tensorOf(golden, 'block.output'), OUTPUTS);
      });

      it.skipIf(merge === undefined)('gives the output of a patch merging', async () => {
        const { resolution, dim } = MergeCase.parse(JSON.parse(merge as string));
        const grid = { rows: resolution, columns: resolution };
        const out = await computed(golden, engine, 'merge', patchMergingParams('merge', dim), (x, params) => mergePatches(x, params, 'merge', grid));
        expectClose('merge.output', out, tensorOf(golden, 'merge.output'), OUTPUTS);
      });
    });
  });
});
