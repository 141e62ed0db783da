import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { checkSettings, ConfigError, didYouMean, readSettings } from '@mimlab/core';
import { configStatistics, DataConfig, imageSpec } from '@mimlab/data';
import { EngineConfig } from '@mimlab/engine';
import type { Protocol } from '@mimlab/evaluate';
import { z } from 'zod';
import type { ModelSource } from './model-source.js';

const TestConfig = z.strictObject({
  cropFraction: z.number().gt(0).max(1).describe('Of test images: size over shorter side of the resized image, before the centre is cut out'),
});

/** Sections of `--set`; every other key belongs to the protocol. */
const SECTIONS = ['data', 'engine', 'test'] as const;

export interface EvaluationConfig {
  readonly seed: number;
  /** `all`, a share of each class, or labels a class. */
  readonly labels: string;
  readonly protocol: { readonly name: string; readonly settings: unknown };
  readonly data: DataConfig;
  readonly test: z.infer<typeof TestConfig>;
  readonly engine: EngineConfig;
  readonly model: Readonly<Record<string, unknown>>;
}

export interface EvaluationRequest {
  readonly protocol: Protocol;
  readonly source: ModelSource;
  /** KIND[:PATH] or a folder of images. */
  readonly data?: string;
  readonly set: readonly string[];
  readonly labels: string;
  readonly seed: number;
}

/** Keys of data that name one data set; another one has its own. */
type Named = Pick<DataConfig, 'dataset' | 'path'>;

const KINDS: readonly string[] = DataConfig.shape.dataset.unwrap().options;

/** @throws ConfigError if there is no data set of this kind */
export function namedData(text: string): Partial<Record<keyof Named, string>> {
  const [kind = '', ...rest] = text.split(':');
  const path = rest.join(':');
  if (KINDS.includes(kind)) return path === '' ? { dataset: kind } : { dataset: kind, path };
  // A misspelt kind before a path is told of as such, unless a folder is called so.
  const misspelt = /^[\w-]{2,}:/.test(text);
  if (existsSync(text) || (!misspelt && /[\\/.]/.test(text))) return { dataset: 'imagefolder', path: text };
  throw new ConfigError(`there is no data set '${text}'${didYouMean(kind, KINDS)}`, { place: '--data', remedy: `Give KIND:PATH with one of ${KINDS.join(', ')}, or the folder of an image folder.` });
}

/**
 * Everything that decides the numbers, every key with its value. Images keep the size, channels and normalisation of
 * pre-training unless they are set.
 * @throws ConfigError with every mistake
 */
export async function evaluationConfig({ protocol, source, data, set, labels, seed }: EvaluationRequest): Promise<EvaluationConfig> {
  if (protocol.learns === false && labels !== 'all') {
    throw new ConfigError(`'${protocol.name}' learns nothing, so it has no use for labelled images`, { place: '--labels', remedy: 'Leave it out.' });
  }
  const given = readSettings(set);
  const section = (name: (typeof SECTIONS)[number]): Record<string, unknown> => sectionOf(given, name);
  const settings = Object.fromEntries(Object.entries(given).filter(([key]) => !(SECTIONS as readonly string[]).includes(key)));
  if ('augment' in section('data')) {
    throw new ConfigError('test images are not augmented, and how labelled ones are is a setting of the protocol', { place: '--set data.augment', remedy: `Leave it out, or set 'augment' where the protocol has it.` });
  }
  const { config } = source.context;
  const { height, width, channels } = imageSpec(source.data);
  const kept = Object.fromEntries(Object.entries(source.data).filter(([key]) => data === undefined || (key !== 'dataset' && key !== 'path')));
  const whole = { ...kept, size: [height, width], channels, ...configStatistics(source.data), ...(data === undefined ? {} : namedData(data)), ...section('data') };
  const dataConfig = checkSettings(DataConfig, { ...whole, augment: { kind: 'none' } }, 'data.');
  return {
    seed,
    labels,
    protocol: { name: protocol.name, settings: checkSettings(protocol.configSchema, settings) },
    data: dataConfig,
    test: checkSettings(TestConfig, { cropFraction: usualFraction(dataConfig), ...section('test') }, 'test.'),
    engine: checkSettings(EngineConfig, { ...config.engine, ...section('engine') }, 'engine.'),
    model: {
      weights: source.weights === undefined ? 'untrained' : await sha256Of(source.weights),
      seed: config.seed,
      image: source.context.objective.image,
      method: config.method,
      hooks: config.hooks,
      wrap: config.wrap,
    },
  };
}

function sectionOf(given: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = Object.hasOwn(given, name) ? given[name] : {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ConfigError(`is a section with keys, not ${JSON.stringify(value)}`, { place: `--set ${name}`, remedy: `Set its keys with '--set ${name}.KEY=VALUE'.` });
}

/** Data sets of small images: they are taken whole. */
const SMALL: readonly DataConfig['dataset'][] = ['mnist', 'fashion-mnist', 'cifar10', 'cifar100'];
/** So are images of other kinds of data sets up to this side: CIFAR as image folder, say. */
const SMALL_SIDE = 64;

/** Photographs are resized to 256 for every 224 and cut, as official codes do up to that size. */
function usualFraction(data: DataConfig): number {
  const { height, width } = imageSpec(data);
  const side = Math.min(height, width);
  return !SMALL.includes(data.dataset) && side > SMALL_SIDE && side <= 224 ? 0.875 : 1;
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
