import { composeRun, createObjective } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import { withoutWrappers } from '../cost/count-cost.js';
import { countMemory } from '../cost/count-memory.js';
import { loadRunContext } from '../run/run-context.js';
import { modelledMemory, type Aggregator, type ModelledMemory } from './memory-model.js';
import type { PaperRow } from './paper-tables.js';

type Framework = PaperRow['framework'];

async function modelled(framework: Framework, preset: string, aggregator?: Aggregator): Promise<ModelledMemory> {
  const { config, objective } = await loadRunContext(preset);
  return modelledMemory(framework, config.method, objective, aggregator) as ModelledMemory;
}

describe('the memory model', () => {
  // PR-MIM specification, section 13.2: MB that an image keeps.
  it.each<[string, Framework, string, Aggregator | undefined, number]>([
    ['MAE ViT-B', 'MAE', 'mae/vit-b16-in1k', undefined, 81.4],
    ['MAE ViT-B, PR-MIM 25', 'MAE', 'mae/vit-b16-in1k-pr25', 'dwconv', 61.2],
    ['MAE ViT-B, PR-MIM 50', 'MAE', 'mae/vit-b16-in1k-pr50', 'dwconv', 44.4],
    ['MAE ViT-B, PR-MIM 65', 'MAE', 'mae/vit-b16-in1k-pr65', 'dwconv', 36.3],
    ['MAE ViT-L', 'MAE', 'mae/vit-l16-in1k', undefined, 112.8],
    ['MAE ViT-L, PR-MIM 50', 'MAE', 'mae/vit-l16-in1k-pr50', 'dwconv', 75.9],
    ['SimMIM ViT-B', 'SimMIM', 'simmim/vit-b16-in1k', undefined, 111.3],
    ['SimMIM ViT-B, PR-MIM 50', 'SimMIM', 'simmim/vit-b16-in1k-pr50', 'dwconv', 50.9],
  ])('keeps for %s what the specification says', async (_name, framework, preset, aggregator, mega) => {
    expect((await modelled(framework, preset, aggregator)).kept / 1e6).toBeCloseTo(mega, 1);
  });

  it('adds 22 bytes for each trained parameter, 111.7 M of MAE ViT-B', async () => {
    const { batch, kept, total } = await modelled('MAE', 'mae/vit-b16-in1k');
    expect(batch).toBe(128);
    expect((total - batch * kept) / 22 / 1e6).toBeCloseTo(111.7, 1);
  });

  it('keeps nothing for pooling, and the input of a convolution in half precision', async () => {
    const { config, objective } = await loadRunContext('mae/vit-b16-in1k-pr50');
    const kept = (aggregator: Aggregator): number => (modelledMemory('MAE', config.method, objective, aggregator) as ModelledMemory).kept;
    expect(kept('dwconv') - kept('avgpool')).toBe(2 * 196 * 512);
    expect(kept('convnext') - kept('avgpool')).toBe(28 * 196 * 512);
    expect(kept('transformer')).toBeGreaterThan(kept('convnext'));
  });

  it('keeps less, the more is thrown', async () => {
    const kept = await Promise.all(['pr25', 'pr50', 'pr65'].map(async (ratio) => (await modelled('MAE', `mae/vit-b16-in1k-${ratio}`, 'dwconv')).kept));
    expect(kept).toEqual([...kept].sort((a, b) => b - a));
    expect(new Set(kept).size).toBe(3);
  });

  it('refuses a method without the sizes that it speaks of', async () => {
    const { objective } = await loadRunContext('mae/mnist-tiny');
    expect(() => modelledMemory('MAE', { width: 64, depth: 2, heads: 2 }, objective, undefined)).toThrow(/decoderWidth/);
  });

  it('knows no formula for methods with several decoders or teachers', async () => {
    const { config, objective } = await loadRunContext('localmim/cifar10-small');
    expect(modelledMemory('LocalMIM', config.method, objective, undefined)).toBeUndefined();
  });

  // Blocks are the same formulas in both; what stands outside them is modelled here and recorded, in float32, there.
  it.each<[Framework, string, Aggregator]>([
    ['MAE', 'mae/vit-b16-in1k-100e-pr50-convnext', 'convnext'],
    ['MAE', 'mae/vit-b16-in1k-100e-pr50-transformer', 'transformer'],
    ['MFF', 'mff/vit-b16-in1k-pr50', 'dwconv'],
    ['SimMIM', 'simmim/vit-b16-in1k-pr50', 'dwconv'],
  ])('is near what the recorded step of %s keeps: %s', async (framework, preset, aggregator) => {
    const { composition, config, objective } = await loadRunContext(preset, ['train.batch=2', 'train.accumulate=1']);
    const bare = createObjective(composeRun(withoutWrappers(composition)));
    const own = modelledMemory(framework, config.method, objective, aggregator) as ModelledMemory;
    const full = modelledMemory(framework, config.method, bare, undefined) as ModelledMemory;
    const recorded = [objective, bare].map((one) => countMemory(one, config).torch.mixed.kept) as [number, number];
    expect(Math.abs(own.kept / recorded[0] - 1)).toBeLessThan(0.07);
    expect(Math.abs(own.kept / full.kept / (recorded[0] / recorded[1]) - 1)).toBeLessThan(0.05);
  });
});
