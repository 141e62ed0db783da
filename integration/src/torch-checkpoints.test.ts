import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadRunContext } from '@mimlab/cli';
import { loadWeights, saveWeights, type EncoderTrunk, type ParamSpecs } from '@mimlab/core';
import { createEagerEngine } from '@mimlab/engine';
import { createClassifier, type EvaluationResults } from '@mimlab/evaluate';
import { saveCheckpoint } from '@mimlab/train';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyConfig, writeTinyMnist } from './cli-process.js';
import { runInProcess } from './in-process.js';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/torch/${name}`, import.meta.url));
const PRETRAINED = fixture('mae-pretrained.pth');
const FINETUNED = fixture('mae-finetuned.pth');

let root: string;
let config: string;
let pretraining: ParamSpecs;
let classifier: ParamSpecs;
beforeAll(async () => {
  root = await temporaryFolder();
  config = join(root, 'mae.yaml');
  writeFileSync(config, tinyConfig(await writeTinyMnist(join(root, 'mnist'))).replace(/wrap:\n.*\n.*\n/, ''));
  const { objective } = await loadRunContext(config);
  pretraining = objective.params();
  const { architecture } = objective.encoder.trunk as EncoderTrunk;
  classifier = createClassifier({ architecture, image: objective.image, classes: 10, pool: 'mean' }).params();
});

let count = 0;
async function evaluate(model: string, ...args: string[]): Promise<EvaluationResults & { readonly folder: string }> {
  const folder = join(root, `evaluation-${count++}`);
  await runInProcess('evaluate', model, '--output', folder, '--no-leak-check', ...args);
  return { ...(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as EvaluationResults), folder };
}
const answers = ({ accuracy, interval, confusion, top5 }: EvaluationResults) => ({ accuracy, interval, confusion, top5 });

/** Into memory layout and back to official names and layout. */
async function roundTrip(path: string, specs: ParamSpecs, name: string): Promise<string> {
  const { values } = await loadWeights(path, specs);
  const output = join(root, name);
  await saveWeights(output, values, specs);
  return output;
}

/** The folder of a run that has these weights. */
async function runWith(weights: string): Promise<string> {
  const { loaded } = await loadRunContext(config);
  const { values } = await loadWeights(weights, pretraining);
  const engine = await createEagerEngine({ kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' });
  const run = join(root, 'run');
  try {
    await engine.define(Object.fromEntries(Object.entries(values).map(([name, { shape, data }]) => [name, { shape, init: () => data as Float32Array }])));
    mkdirSync(join(run, 'checkpoints'), { recursive: true });
    writeFileSync(join(run, 'config.yaml'), loaded.format());
    await saveCheckpoint(join(run, 'checkpoints'), engine, pretraining, { update: 4, epoch: 1, batch: 0, seed: 0, samples: 32, config: { ...loaded.config }, engine: engine.description }, 1);
  } finally {
    engine.dispose();
  }
  return run;
}

describe('a checkpoint that PyTorch wrote', () => {
  const KNN = ['--protocol', 'knn', '--set', 'k=3'];
  /** Numbers of the results, and the features they follow from, to the last bit. */
  const measured = async (model: string, ...args: string[]) => {
    const results = await evaluate(model, ...args, ...KNN);
    return { ...answers(results), features: readFileSync(join(results.folder, 'features-test.safetensors')) };
  };

  it('is evaluated to the same numbers as its weights as safetensors, in a run folder, and after a round trip', async () => {
    const expected = await measured(PRETRAINED, '--config', config);
    const exported = await roundTrip(PRETRAINED, pretraining, 'exported.safetensors');
    expect(await measured(exported, '--config', config)).toEqual(expected);
    const again = await roundTrip(exported, pretraining, 'again.safetensors');
    expect(readFileSync(again)).toEqual(readFileSync(exported));
    expect(await measured(await runWith(exported))).toEqual(expected);
  }, 120_000);

  it('that lacks the final norm has no features to offer, and says so', async () => {
    await expect(evaluate(FINETUNED, '--config', config, ...KNN)).rejects.toThrow(/'norm.weight' is missing/);
  }, 60_000);
});

describe('an official fine-tuned model', () => {
  const CLASSIFY = ['--protocol', 'classify'];
  const digits = Array.from({ length: 10 }, (_, digit) => String(digit));
  const classList = (): string => {
    const path = join(root, 'classes.txt');
    writeFileSync(path, digits.join('\n'));
    return path;
  };
  /** Three images of each class, in checks of its own width. */
  const writeImages = async (name: string, classes: readonly string[]): Promise<string> => {
    for (const folder of classes) {
      mkdirSync(join(root, name, folder), { recursive: true });
      for (const shade of [0, 1, 2]) {
        const check = (place: number): number => Math.floor(place / (1 + Number(folder)));
        const pixels = Uint8Array.from({ length: 256 }, (_, p) => 60 * shade + ((check(p % 16) + check(p >> 4)) % 2 === 0 ? 120 : 0));
        await sharp(pixels, { raw: { height: 16, width: 16, channels: 1 } }).png().toFile(join(root, name, folder, `${shade}.png`));
      }
    }
    return join(root, name);
  };

  it('is asked as it is, to the same answers as its weights as safetensors', async () => {
    const asked = [...CLASSIFY, '--config', config, '--data', await writeImages('all', digits), '--set', 'data.channels=1'];
    const results = await evaluate(FINETUNED, ...asked);
    expect(results.details).toEqual({ pool: 'mean', headClasses: 10 });
    expect(results.samples).toBe(30);
    const answered = results.confusion.map((_, column) => results.confusion.some((row) => (row[column] as number) > 0)).filter(Boolean);
    expect(answered.length).toBeGreaterThan(1);
    expect(answers(await evaluate(await roundTrip(FINETUNED, classifier, 'tuned.safetensors'), ...asked))).toEqual(answers(results));
  }, 60_000);

  it('answers about some of its classes once a list names them', async () => {
    const few = await writeImages('few', ['3', '7']);
    const some = [...CLASSIFY, '--data', few, '--set', 'data.channels=1', '--set', 'subset=true'];
    await expect(evaluate(FINETUNED, '--config', config, ...some)).rejects.toThrow(/the head \(10\): #0, #1[\s\S]*the data set \(2\): 3, 7[\s\S]*classList=FILE/);
    const { perClass, samples } = await evaluate(FINETUNED, '--config', config, ...some, '--set', `classList=${classList()}`);
    expect([samples, perClass.map(({ name }) => name)]).toEqual([6, ['3', '7']]);
  }, 60_000);

  it('refuses a list of another length, both lists shown', async () => {
    const short = join(root, 'short.txt');
    writeFileSync(short, 'a\nb\n');
    await expect(evaluate(FINETUNED, '--config', config, ...CLASSIFY, '--set', `classList=${short}`)).rejects.toThrow(/the head \(10\): #0[\s\S]*the class list \(2\): a, b/);
  }, 60_000);

  it('has its robustness measured by the class folders of its test images', async () => {
    const few = await writeImages('renditions', ['1', '8']);
    const { sets, samples } = await evaluate(FINETUNED, '--config', config, '--protocol', 'robustness', '--set', `inR=${few}`);
    expect(samples).toBe(32);
    expect(sets?.['inR']).toMatchObject({ samples: 6 });
    expect(sets?.['inR']?.confusion).toHaveLength(2);
  }, 60_000);
});
