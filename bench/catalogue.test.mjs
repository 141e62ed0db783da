import { loadRunContext } from '@mimlab/cli';
import { describe, expect, it } from 'vitest';
import { CASES, configuration, MAE_MODELS, METHODS } from './catalogue.mjs';

const folders = { cifar10: '/images/cifar', imagefolder: '/images/photos' };
const load = (method, caseName, gamma, batch) => {
  const { preset, set } = configuration(method, caseName, gamma, folders, batch);
  return loadRunContext(preset, set);
};
const all = Object.keys(METHODS).flatMap((method) => Object.keys(CASES).map((caseName) => [method, caseName]));

describe('configurations', () => {
  it.each(all)('of %s, %s load bare, and with half of all tokens thrown', async (method, caseName) => {
    const bare = await load(method, caseName, 0);
    expect(bare.config.wrap).toEqual([]);
    expect(bare.config.train).toMatchObject({ batch: CASES[caseName].batch, accumulate: 1 });
    const { sampler, grid } = (await load(method, caseName, 0.5)).objective;
    expect(sampler.counts(grid).thrown).toBe(Math.floor((grid.rows * grid.columns) / 2));
  });

  it('read the images of their case', async () => {
    expect((await load('mff', 'small', 0)).config.data).toMatchObject({ dataset: 'cifar10', path: '/images/cifar', size: 32 });
    expect((await load('mff', 'vit-b16', 0)).config.data).toMatchObject({ dataset: 'imagefolder', path: '/images/photos', size: 224 });
  });

  it('take other batches and parts', async () => {
    const { config, objective } = await load('mae', 'vit-b16', 0.65, 2);
    expect(config.train.batch).toBe(2);
    expect(objective.sampler.counts(objective.grid)).toEqual({ visible: 49, retained: 20, thrown: 127 });
  });

  it('that throw more than is masked are refused in words', async () => {
    await expect(load('simmim', 'vit-b16', 0.65)).rejects.toThrow('more tokens are thrown than masked');
  });

  it.each(Object.keys(CASES))('of MAE, %s are the model that PyTorch is told', async (caseName) => {
    const { config } = await load('mae', caseName, 0);
    const { size, ...model } = MAE_MODELS[caseName];
    expect(config.method).toMatchObject(model);
    expect(config.data.size).toBe(size);
  });
});
