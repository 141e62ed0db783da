import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError, ConfigError, DataError } from '@mimlab/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext } from '../run/run-context.js';
import { tinyRun, tinySettings } from '../run/tiny-run.test-support.js';
import { encoderFor, findModel, type ModelOptions, type ModelSource } from './model-source.js';

const folder = mkdtempSync(join(tmpdir(), 'mimlab-model-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const PRESET = 'mae/vit-b16-in1k-pr50';
const find = (model: string, options: Partial<ModelOptions> = {}): Promise<ModelSource> => findModel(model, { untrained: false, notice: () => undefined, ...options });
let text = '';
beforeAll(async () => {
  text = (await loadRunContext(PRESET, tinySettings('digits'))).loaded.format();
});

/** A folder with files of these names in it. */
function holds(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}
const evaluation = (data: unknown): string => JSON.stringify({ seed: 0, data });
async function refusal(found: Promise<unknown>): Promise<Error> {
  return found.then(
    () => new Error('nothing was refused'),
    (error: unknown) => error as Error,
  );
}

describe('the folder of a run', () => {
  it('without a checkpoint is refused, saying how to go on', async () => {
    const error = await refusal(find(holds('young', { 'config.yaml': text })));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error.message).toMatch(/young\/checkpoints: the run has no checkpoint yet\n.*mimlab pretrain --resume .*young/);
  });

  it('is enough for the encoder as it starts', async () => {
    const run = holds('young', { 'config.yaml': text });
    const { weights, home, data } = await find(run, { untrained: true });
    expect([weights, home]).toEqual([undefined, join(run, 'evaluations')]);
    expect(data).toMatchObject({ dataset: 'mnist', path: 'digits' });
  });
});

describe('the folder of a checkpoint', () => {
  it('inside a run has the configuration of the run, and its evaluations beside the others', async () => {
    const run = holds('run', { 'config.yaml': text });
    const checkpoint = holds(join('run', 'checkpoints', 'step-3'), { 'model.safetensors': '' });
    expect(await find(checkpoint)).toMatchObject({ weights: join(checkpoint, 'model.safetensors'), home: join(run, 'evaluations') });
  });

  it('that was moved elsewhere needs a configuration', async () => {
    const checkpoint = holds(join('elsewhere', 'a', 'step-3'), { 'model.safetensors': '' });
    expect((await refusal(find(checkpoint))).message).toMatch(/does not say what model it belongs to\n.*--config/);
    const { context, home } = await find(checkpoint, { config: PRESET });
    expect(context.config.data.dataset).toBe('imagefolder');
    expect(home).toBe('runs/evaluations');
  });
});

describe('the folder of a fine-tuning', () => {
  const EVALUATED = { dataset: 'imagefolder', path: 'pets', size: 64 };

  it('has the data that it was fine-tuned on, not those of pre-training', async () => {
    const tuned = holds('tuned', { 'config.yaml': text, 'evaluation.json': evaluation(EVALUATED), 'model.safetensors': '' });
    const { data, weights, home } = await find(tuned);
    expect(data).toMatchObject({ dataset: 'imagefolder', path: 'pets', size: 64 });
    expect([weights, home]).toEqual([join(tuned, 'model.safetensors'), join(tuned, 'evaluations')]);
  });

  it('that left no model is refused, unless the encoder is wanted as it starts', async () => {
    const linear = holds('linear', { 'config.yaml': text, 'evaluation.json': evaluation(EVALUATED) });
    expect((await refusal(find(linear))).message).toMatch(/this evaluation left no model behind\n.*finetune, partial/);
    expect((await find(linear, { untrained: true })).weights).toBeUndefined();
  });

  it.each([
    ['is torn', '{ "data": {', /evaluation\.json: is no JSON\n.*repeat it/],
    ['is of another kind', '{ "data": { "dataset": "mnist2" } }', /evaluation\.json: [^]*data\.dataset[^]*repeat it/],
  ])('whose record %s is named', async (_, record, message) => {
    const error = await refusal(find(holds('damaged', { 'config.yaml': text, 'evaluation.json': record, 'model.safetensors': '' })));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
  });
});

describe('a weight file', () => {
  it('goes with the configuration that is named, its evaluations beside it', async () => {
    const path = join(holds('weights', { 'vit ä.pth': '' }), 'vit ä.pth');
    expect(await find(path, { config: PRESET })).toMatchObject({ weights: path, home: join(folder, 'weights', 'evaluations') });
    expect((await find(path, { config: PRESET, untrained: true })).weights).toBeUndefined();
  });

  it('that is not there, and a folder that holds nothing of use, are told apart', async () => {
    const [gone, empty] = [await refusal(find(join(folder, 'gone.pth'), { config: PRESET })), await refusal(find(holds('empty', {})))];
    expect([gone, empty].every((error) => error instanceof ConfigError)).toBe(true);
    expect(gone.message).toMatch(/gone\.pth: there is no such run or weight file\n.*--untrained/);
    expect(empty.message).toMatch(/empty: is neither a run nor a checkpoint\n/);
  });
});

describe('the encoder', () => {
  it('is that of the model where images are of its size', async () => {
    const context = await tinyRun('digits');
    expect(encoderFor(context, { height: 8, width: 8, channels: 1 })).toBe(context.objective.encoder);
  });

  it.each([
    [{ height: 16, width: 8, channels: 1 }, { rows: 8, columns: 4 }],
    [{ height: 8, width: 16, channels: 1 }, { rows: 4, columns: 8 }],
    [{ height: 8, width: 8, channels: 3 }, { rows: 4, columns: 4 }],
  ])('is built for %o where they are not', async (image, grid) => {
    const encoder = encoderFor(await tinyRun('digits'), image);
    expect(encoder.grid).toEqual(grid);
    expect(encoder.params()['patch_embed.proj.weight']?.shape).toContain(2 * 2 * image.channels);
  });
});
