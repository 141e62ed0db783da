import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CheckpointError, ConfigError, loadWeights, saveWeights, type HostTensor, type ParamSpecs } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '@mimlab/engine';
import { cpuEngine, IMAGE, temporaryFolder, tinyEncoder } from '../../testing/tiny-evaluation.js';
import { createClassifier, type Pooling } from './classifier.js';
import { defineParameters } from './define-state.js';
import { loadClassifier } from './loaded-classifier.js';
import { readHead, saveClassifier } from './saved-classifier.js';
import { requireTrunk } from './trunk-values.js';

const root = temporaryFolder();
const encoder = tinyEncoder();
const NAMES = ['Äpfel', 'b, c', '猫'];
const classifierWith = (pool: Pooling) => createClassifier({ architecture: requireTrunk(encoder).architecture, image: IMAGE, classes: 3, pool });
const model = (weights?: string) => ({ encoder, image: IMAGE, statistics: { mean: [0.5], std: [0.25] }, encoderValues: async () => ({}), ...(weights === undefined ? {} : { weights }) });

let engine: Engine;
const specs = classifierWith('mean').params();
beforeAll(async () => {
  engine = await cpuEngine();
  await defineParameters(engine, specs, {}, 5);
});
afterAll(() => {
  engine.dispose();
});

let count = 0;
/** A file with a head of three classes and nothing else but what `more` says. */
async function headFile(metadata: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<string> {
  const path = join(root, `head-${count++}.safetensors`);
  const vectors: ParamSpecs = Object.fromEntries(['head.bias', ...more].map((name) => [name, { shape: [3], trainable: true, layout: { kind: 'same' }, init: () => new Float32Array(3) }]));
  await saveWeights(path, Object.fromEntries(Object.keys(vectors).map((name): [string, HostTensor] => [name, { shape: [3], dtype: 'float32', data: new Float32Array(3) }])), vectors, metadata);
  return path;
}

describe('a fine-tuned model', () => {
  it('is one file with its weights, the names of its classes and what its head gets', async () => {
    await saveClassifier(root, engine, specs, { classes: NAMES, pool: 'mean' });
    expect(readdirSync(root)).toEqual(['model.safetensors']);
    const path = join(root, 'model.safetensors');
    expect(await readHead(path, true)).toEqual({ size: 3, classes: NAMES, pool: 'mean' });
    expect((await loadWeights(path, specs)).values).toEqual(await engine.read(Object.keys(specs)));
  });

  it('comes back into another engine as it was', async () => {
    await saveClassifier(root, engine, specs, { classes: NAMES, pool: 'mean' });
    const other = await cpuEngine();
    const { classifier, classes, weights } = await loadClassifier({ engine: other, model: model(join(root, 'model.safetensors')) }, 'classify');
    expect([classifier.classes, classifier.pool, classes, weights]).toEqual([3, 'mean', NAMES, join(root, 'model.safetensors')]);
    expect(await other.read(Object.keys(specs))).toEqual(await engine.read(Object.keys(specs)));
    other.dispose();
  });
});

describe('the head of a file', () => {
  it('has no names in files of others', async () => {
    expect(await readHead(await headFile({}), true)).toEqual({ size: 3, pool: 'cls' });
  });

  it('gets the mean of the tokens behind a norm of its own, and in networks without a class token', async () => {
    expect((await readHead(await headFile({}, ['fc_norm.bias']), true)).pool).toBe('mean');
    expect((await readHead(await headFile({}), false)).pool).toBe('mean');
  });

  it.each([
    ['no JSON', 'cat,dog,eel'],
    ['no list', '{"cat":1}'],
    ['too few names', '["cat","dog"]'],
    ['too many names', '["cat","dog","eel","fox"]'],
    ['names that are no text', '["cat","dog",3]'],
  ])('is refused where its names are %s', async (_what, classes) => {
    const path = await headFile({ classes });
    await expect(readHead(path, true)).rejects.toThrow(CheckpointError);
    await expect(readHead(path, true)).rejects.toThrow(`a JSON list of 3 names is expected`);
    await expect(readHead(path, true)).rejects.toThrow(path);
  });

  it('is asked for where there is none', async () => {
    await expect(loadClassifier({ engine, model: model() }, 'classify')).rejects.toThrow(ConfigError);
  });
});
