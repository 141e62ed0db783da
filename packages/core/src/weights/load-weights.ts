import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { ParamSpecs } from '../params.js';
import type { HostTensor } from '../tensors.js';
import { fileError } from './file-access.js';
import { fileShape, fromFileLayout, toFileLayout } from './layout.js';
import { writeSafetensors, type WritableTensor, type WriteSafetensorsOptions } from './safetensors.js';
import { readWeightFile } from './weight-file.js';

export interface LoadWeightsOptions {
  /** Refuse missing and unexpected parameters. Default true. Another shape is always refused. */
  readonly strict?: boolean;
  /** Parameters that the file may lack even when strict. */
  readonly allowMissing?: readonly RegExp[];
  /** Tensors of the file to pass over: a head for other classes, say. They count as absent. */
  readonly ignore?: readonly RegExp[];
  /** Our name for a name in the file, where another library wrote it. Applied before anything else. */
  readonly rename?: (name: string) => string;
  /** Keys of a torch archive that hold the model, tried in this order before the usual ones (`teacher`, say). */
  readonly keys?: readonly string[];
}

export interface SaveWeightsOptions extends WriteSafetensorsOptions {
  /** The file's name for a parameter, where another library is to read it. */
  readonly rename?: (name: string) => string;
}

export interface LoadedWeights {
  /** By parameter name, in memory layout, float32. */
  readonly values: Readonly<Record<string, HostTensor>>;
  /** Parameters that the file lacks; they keep whatever value they have. */
  readonly missing: readonly string[];
  /** Tensors of the file that the model has no use for. */
  readonly unexpected: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Name of the weights inside a checkpoint folder. */
export const MODEL_FILE = 'model.safetensors';
/** Folder of a run that holds its checkpoints, one `step-NUMBER` each. They appear whole. */
const RUN_CHECKPOINTS = 'checkpoints';
/**
 * Tables that PyTorch stores as buffers though they follow from the architecture: which relative position belongs to a
 * pair of tokens, which tokens a shifted window keeps apart. Kept, they would tie weights to one resolution.
 */
const BUFFERS = [/(^|\.)relative_position_index$/, /(^|\.)attn_mask$/];
/** How many mismatches of one kind are written out. */
const SHOWN = 12;

/**
 * Loads parameters from a safetensors file, a torch archive (`.pth`, `.pt`), a checkpoint folder, or the newest checkpoint
 * of a run folder; all hold official names and layouts. Values come in memory layout. Buffers of window attention
 * (`relative_position_index`, `attn_mask`) are passed over.
 * @throws CheckpointError that lists every mismatch at once: missing, unexpected, other shape or type.
 */
export async function loadWeights(path: string, specs: ParamSpecs, options: LoadWeightsOptions = {}): Promise<LoadedWeights> {
  const { strict = true, allowMissing = [], ignore = [], rename = (name: string) => name, keys = [] } = options;
  const file = await weightFileOf(path);
  const passed = [...BUFFERS, ...ignore];
  const read = await readWeightFile(file, (name) => !matches(rename(name), passed), keys);
  const { metadata } = read;
  const tensors: Record<string, HostTensor> = renamed(Object.entries(read.tensors), rename, file);
  const names = Object.keys(specs);
  const missing = names.filter((name) => !Object.hasOwn(tensors, name));
  const unexpected = Object.keys(tensors).filter((name) => !Object.hasOwn(specs, name));

  const problems: string[] = [];
  const values: [string, HostTensor][] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (tensor === undefined) continue;
    const expected = fileShape(spec.layout, spec.shape);
    if (expected.join() !== tensor.shape.join()) problems.push(`'${name}' has shape [${tensor.shape.join(', ')}], the model has [${expected.join(', ')}]`);
    else if (tensor.dtype !== 'float32') problems.push(`'${name}' holds ${tensor.dtype} values, the model has float32`);
    else values.push([name, fromFileLayout(spec.layout, tensor, spec.shape)]);
    // Large models: what has been converted need not be held twice.
    Reflect.deleteProperty(tensors, name);
  }
  if (strict) {
    const lacking = missing.filter((name) => !matches(name, allowMissing));
    problems.push(...shortened(lacking.map((name) => `'${name}' is missing${didYouMean(name, unexpected)}`)));
    problems.push(...shortened(unexpected.map((name) => `'${name}' is not known to the model${didYouMean(name, missing)}`)));
  }
  if (problems.length > 0) {
    throw new CheckpointError(`the weights do not fit the model:\n  ${problems.join('\n  ')}`, {
      place: file,
      remedy: 'Load them into the model and size they were made with.',
    });
  }
  return { values: Object.fromEntries(values), missing, unexpected, metadata };
}

/** Under other names. Two tensors that come to have one name must not become one in silence. */
function renamed<T>(tensors: readonly (readonly [string, T])[], rename: (name: string) => string, place: string): Record<string, T> {
  const before = new Map<string, string>();
  const entries = tensors.map(([name, tensor]): [string, T] => {
    const after = rename(name);
    const other = before.get(after);
    if (other !== undefined) throw new CheckpointError(`'${other}' and '${name}' would both be called '${after}'`, { place, remedy: 'Keep one of the two tensors in the file.' });
    before.set(after, name);
    return [after, tensor];
  });
  return Object.fromEntries(entries);
}

const matches = (name: string, patterns: readonly RegExp[]): boolean => patterns.some((pattern) => name.search(pattern) >= 0);

const shortened = (lines: readonly string[]): string[] =>
  lines.length <= SHOWN ? [...lines] : [...lines.slice(0, SHOWN - 1), `... and ${lines.length - SHOWN + 1} more like this`];

async function weightFileOf(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isDirectory()) return path;
    const inside = await readdir(path);
    if (inside.includes(MODEL_FILE) || !inside.includes(RUN_CHECKPOINTS)) return join(path, MODEL_FILE);
    const steps = (await readdir(join(path, RUN_CHECKPOINTS))).filter((name) => /^step-\d+$/.test(name));
    // Zero-padded numbers; more digits are later.
    const newest = steps.sort((a, b) => a.length - b.length || a.localeCompare(b)).at(-1);
    if (newest === undefined) throw new CheckpointError('the run has no checkpoint yet', { place: path, remedy: 'Train it first.' });
    return join(path, RUN_CHECKPOINTS, newest, MODEL_FILE);
  } catch (cause) {
    throw fileError(path, cause);
  }
}

/**
 * Writes parameters with official names and layout.
 * @param values in memory layout; a function fetches its values when it is its turn
 * @throws CheckpointError if a parameter has no value, a value no parameter, or the file cannot be written.
 */
export async function saveWeights(
  path: string,
  values: Readonly<Record<string, WritableTensor>>,
  specs: ParamSpecs,
  metadata: Readonly<Record<string, string>> = {},
  options: SaveWeightsOptions = {},
): Promise<void> {
  const { rename = (name: string) => name, ...writing } = options;
  const extra = Object.keys(values).filter((name) => !Object.hasOwn(specs, name));
  if (extra.length > 0) throw new CheckpointError(`these values belong to no parameter: ${extra.join(', ')}`, { place: path });
  const tensors: [string, WritableTensor][] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new CheckpointError(`parameter '${name}' has no value`, { place: path });
    const data = async (): Promise<HostTensor['data']> => {
      const held = typeof value.data === 'function' ? await value.data() : value.data;
      return toFileLayout(spec.layout, { shape: spec.shape, dtype: value.dtype, data: held }).data;
    };
    tensors.push([name, { dtype: value.dtype, shape: fileShape(spec.layout, spec.shape), data }]);
  }
  await writeSafetensors(path, renamed(tensors, rename, path), metadata, writing);
}
