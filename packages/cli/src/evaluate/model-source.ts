import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CheckpointError, composeRun, ConfigError, ENCODER, MODEL_FILE, type Encoder, type ImageSpec } from '@mimlab/core';
import { DataConfig } from '@mimlab/data';
import { EVALUATION_FILE } from '@mimlab/evaluate';
import { CONFIG_FILE, newestCheckpoint, runPaths } from '@mimlab/train';
import { z } from 'zod';
import { readJsonFile } from '../json-file.js';
import { loadRunContext, type RunContext } from '../run/run-context.js';

/** What the command line names as the model. */
export interface ModelSource {
  /** The configuration that the encoder is built from. */
  readonly context: RunContext;
  /** A weight file; absent for an untrained encoder. */
  readonly weights?: string;
  /** Data and size of images of the model, before --data and --set. */
  readonly data: DataConfig;
  /** Folder that evaluations of it go into by default. */
  readonly home: string;
}

export interface ModelOptions {
  /** Configuration or preset of weights that come without one. */
  readonly config?: string;
  readonly untrained: boolean;
  readonly notice: (message: string) => void;
}

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/**
 * Finds configuration and weights: of a run folder (its newest whole checkpoint), a checkpoint folder inside one, the folder
 * of an evaluation that fine-tuned, or a weight file with `--config`. With `--untrained` a configuration is enough.
 * @throws ConfigError, CheckpointError that say what is missing
 */
export async function findModel(model: string, { config, untrained, notice }: ModelOptions): Promise<ModelSource> {
  const path = resolve(model);
  const of = async (file: string, weights: string | undefined, home: string, data?: DataConfig): Promise<ModelSource> => {
    const context = await loadRunContext(config ?? file);
    return { context, data: data ?? context.config.data, home, ...(untrained || weights === undefined ? {} : { weights }) };
  };
  if (isFolder(path)) {
    const stored = join(path, CONFIG_FILE);
    if (existsSync(join(path, EVALUATION_FILE))) return of(stored, untrained ? undefined : requireModel(path), join(path, 'evaluations'), await evaluatedData(path));
    if (existsSync(stored)) return of(stored, untrained ? undefined : await checkpointOf(path, notice), join(path, 'evaluations'));
    const above = join(path, '..', '..');
    if (existsSync(join(path, MODEL_FILE))) {
      const home = existsSync(join(above, CONFIG_FILE)) ? join(above, 'evaluations') : 'runs/evaluations';
      return of(configOf(config ?? (existsSync(join(above, CONFIG_FILE)) ? join(above, CONFIG_FILE) : undefined), path), join(path, MODEL_FILE), home);
    }
    throw new ConfigError('is neither a run nor a checkpoint', { place: path, remedy: `Name a folder that 'mimlab pretrain' or 'mimlab evaluate' wrote, or a weight file with --config.` });
  }
  if (untrained) return of(model, undefined, 'runs/evaluations');
  if (!existsSync(path)) throw new ConfigError('there is no such run or weight file', { place: path, remedy: `A configuration alone has no weights: add --untrained to evaluate the encoder as it starts.` });
  return of(configOf(config, path), path, join(dirname(path), 'evaluations'));
}

function configOf(config: string | undefined, path: string): string {
  if (config !== undefined) return config;
  throw new ConfigError('a weight file does not say what model it belongs to', { place: path, remedy: `Add --config with the configuration or preset it was trained with ('mimlab presets' lists them).` });
}

async function checkpointOf(run: string, notice: (message: string) => void): Promise<string> {
  const { checkpoints } = runPaths(run);
  const found = await newestCheckpoint(checkpoints, notice);
  if (found === undefined) throw new CheckpointError('the run has no checkpoint yet', { place: checkpoints, remedy: `Train it first: mimlab pretrain --resume ${run}` });
  return join(found.path, MODEL_FILE);
}

function requireModel(folder: string): string {
  const path = join(folder, MODEL_FILE);
  if (existsSync(path)) return path;
  throw new CheckpointError('this evaluation left no model behind', { place: folder, remedy: 'Only finished fine-tuning (finetune, partial) does.' });
}

const Evaluated = z.looseObject({ data: DataConfig });

async function evaluatedData(folder: string): Promise<DataConfig> {
  return (await readJsonFile(join(folder, EVALUATION_FILE), Evaluated, `The evaluation is damaged: repeat it into another folder with 'mimlab evaluate ... --output'.`)).data;
}

/** The encoder for images of a size: that of the model, or the same network built for another one. */
export function encoderFor({ objective, composition }: RunContext, image: ImageSpec): Encoder {
  const own = objective.image;
  if (own.height === image.height && own.width === image.width && own.channels === image.channels) return objective.encoder;
  return composeRun({ ...composition, image }).resolve(ENCODER);
}
