import { composeRun, createObjective, type ParamSpecs } from '@mimlab/core';
import { layerDecayScale, swinLayers, vitLayers } from '@mimlab/nn';
import { simmim, SimMimConfig } from '@mimlab/plugin-simmim';
import { parameterUpdates, TrainConfig } from '@mimlab/train';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { describeGolden, loadJson } from './golden-cases.js';

const Groups = z.object({ decay: z.array(z.string()), no_decay: z.array(z.string()) });
const LayerGroups = z.array(z.object({ group: z.string(), lr: z.number(), lr_scale: z.number(), params: z.array(z.string()) }));

/** Blocks by stage that names speak of; [blocks] for a ViT. */
function depthsOf(names: readonly string[], pattern: RegExp): number[] {
  const depths: number[] = [];
  for (const name of names) {
    const found = pattern.exec(name);
    if (found === null) continue;
    const [stage, block] = found.length === 3 ? [Number(found[1]), Number(found[2])] : [0, Number(found[1])];
    depths[stage] = Math.max(depths[stage] ?? 0, block + 1);
  }
  return depths;
}

/** A model with these blocks, as small as it can be; widths leave no trace in groups. */
function modelOf(names: readonly string[], exemptTables: 'released' | 'intended'): ParamSpecs {
  const depths = depthsOf(names, /^encoder\.layers\.(\d+)\.blocks\.(\d+)\./);
  const side = 4 * 2 ** Math.max(0, depths.length - 1);
  const shared = { patchSize: 2, maskUnit: 2, width: 8, exemptTables };
  const config =
    depths.length > 0
      ? { arch: 'swin', ...shared, depth: depths, heads: depths.map(() => 1), window: 4 }
      : { arch: 'vit', ...shared, depth: depthsOf(names, /^encoder\.blocks\.(\d+)\./)[0], heads: 1, layerScale: names.some((name) => name.endsWith('.gamma_1')) ? 0.1 : null };
  const image = { height: 2 * side, width: 2 * side, channels: 3 };
  return createObjective(composeRun({ image, method: { plugin: simmim, config: SimMimConfig.parse(config) } })).params();
}

describeGolden('simmim-param-groups', /\.json$/, (files) => {
  describe.each(files)('$name', async ({ path }) => {
    const entries = Object.entries(z.record(z.string(), z.unknown()).parse(await loadJson(path)));
    const pretraining = entries.filter(([name]) => name.startsWith('pretrain'));
    const fineTuning = entries.filter(([name]) => name.startsWith('finetune'));

    it('has groups to compare', () => {
      expect(pretraining.length + fineTuning.length).toBeGreaterThan(0);
    });

    describe.each(pretraining)('%s', (_, json) => {
      const { decay, no_decay } = Groups.parse(json);
      const decayed = (exemptTables: 'released' | 'intended'): string[] => {
        const updates = Object.entries(parameterUpdates(modelOf([...decay, ...no_decay], exemptTables), TrainConfig.parse({ weightDecay: 0.05 })));
        expect(updates.map(([name]) => name).sort(), 'all parameters').toEqual([...decay, ...no_decay].sort());
        return updates.filter(([, update]) => update.decay > 0).map(([name]) => name);
      };

      it('decays what the released code decays', () => {
        expect(decayed('released').sort()).toEqual([...decay].sort());
      });

      it('spares tables and mask token as intended', () => {
        expect(decayed('intended').sort()).toEqual(decay.filter((name) => !/relative_position_bias_table$|mask_token$/.test(name)).sort());
      });
    });

    it.each(fineTuning)('%s: the same scale for every parameter', (title, json) => {
      const groups = LayerGroups.parse(json);
      const decay = Number(/decay ([\d.]+)/.exec(title)?.[1]);
      const peak = Number(/lr ([\d.e-]+)/.exec(title)?.[1]);
      const depths = (/depths? ([\d-]+)/.exec(title)?.[1] ?? '').split('-').map(Number);
      const layerOf = title.includes('swin') ? swinLayers(depths) : vitLayers(depths[0] as number);
      const blocks = depths.reduce((sum, depth) => sum + depth, 0);
      for (const { group, lr, lr_scale, params } of groups) {
        for (const name of params) {
          const layer = layerOf(name);
          expect(group, name).toMatch(new RegExp(`^layer_${layer}_`));
          expect(layerDecayScale(decay, blocks, layer), name).toBeCloseTo(lr_scale, 12);
          expect(peak * layerDecayScale(decay, blocks, layer), name).toBeCloseTo(lr, 12);
        }
      }
    });
  });
});
