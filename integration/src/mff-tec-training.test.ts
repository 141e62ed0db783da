import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { saveWeights, type Configured, type HostTensor, type WrapperPlugin } from '@mimlab/core';
import { mff, MffConfig } from '@mimlab/plugin-mff';
import { tec, TecConfig } from '@mimlab/plugin-tec';
import { prMim, PrMimConfig, type PrMimInput } from '@mimlab/pr-mim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { learnMnist, meanOf } from './mnist-learning.js';

/** Sixteen tokens of 7 x 7 pixels. */
const MFF = { patchSize: 7, width: 16, depth: 3, heads: 2, mlpRatio: 2, decoderWidth: 16, decoderDepth: 1, decoderHeads: 2, positions: 'mae' };
const TEC = { patchSize: 7, width: 16, depth: 2, heads: 2, mlpRatio: 2, adapterBlocks: 1, decoderWidth: 16, decoderDepth: 1, decoderHeads: 2, topK: 3, temperature: 1.4 };
const TEACHER = { width: 16, depth: 3, heads: 2, mlpRatio: 2 };
const RECIPE = { updates: 300, batch: 16, lr: 5e-3 };
const wrapped = (input: PrMimInput): readonly Configured<WrapperPlugin>[] => [{ plugin: prMim, config: PrMimConfig.parse(input) }];
const WRAP = wrapped({ throw: 0.5, aggregator: { kind: 'dwconv', kernel: 3 } });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mimlab-tec-training-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('on MNIST', () => {
  const teacherFile = (): string => join(folder, 'teacher.safetensors');

  it.each([
    ['alone', []],
    ['wrapped by pr-mim', WRAP],
  ])(
    'MFF %s learns, and moves its shares away from equal ones',
    async (_name, wrap) => {
      const { losses, parts, values, specs } = await learnMnist({ method: { plugin: mff, config: MffConfig.parse(MFF) }, wrap }, RECIPE);
      expect(meanOf(losses.slice(-50))).toBeLessThan(0.9 * meanOf(losses.slice(0, 10)));
      const shares = ['fusion.0', 'fusion.1', 'fusion.2'].map((name) => parts[name] as number);
      expect(meanOf(shares)).toBeCloseTo(1 / 3, 5);
      expect(Math.max(...shares)).toBeGreaterThan(0.34);
      await saveWeights(teacherFile(), values, specs);
    },
    120_000,
  );

  it.each([
    ['features and attention', {}, []],
    ['features and attention, wrapped by pr-mim', {}, WRAP],
    ['features and attention in part', {}, wrapped({ throw: 0.5, reconstruction: 'partial' })],
    ['features alone', { targets: 'feature-only' }, []],
  ])(
    'TEC learns %s of a teacher that was trained before',
    async (_name, config, wrap) => {
      const settings = TecConfig.parse({ ...TEC, ...config, teacher: { ...TEACHER, checkpoint: teacherFile() } });
      const { losses, parts, values } = await learnMnist({ method: { plugin: tec, config: settings }, wrap }, RECIPE);
      expect(meanOf(losses.slice(-50))).toBeLessThan(0.9 * meanOf(losses.slice(0, 10)));
      expect(Object.keys(parts)).toEqual(expect.arrayContaining('targets' in config ? ['retained'] : ['feature', 'attention']));
      // The teacher is the file's, to the last bit, after all updates.
      const { values: before } = await learnMnist({ method: { plugin: tec, config: settings }, wrap }, { ...RECIPE, updates: 0 });
      for (const [name, { data }] of Object.entries(before)) if (name.startsWith('teacher.')) expect(values[name]?.data, name).toEqual(data as HostTensor['data']);
    },
    120_000,
  );
});
