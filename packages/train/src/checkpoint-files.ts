import { join } from 'node:path';
import { loadWeights, MODEL_FILE, saveWeights, sizeOfShape, type HostTensor, type ParamSpecs, type WritableTensor } from '@mimlab/core';
import { OPTIMIZER_SLOTS, optimizerSlots, type Engine } from '@mimlab/engine';

export const OPTIMIZER_FILE = 'optimizer.safetensors';

/**
 * The optimizer's state as parameters, each with the file layout of the parameter it belongs to.
 * @param slots what it keeps of a parameter (names of the engine's state): the moments of AdamW unless given
 */
export function optimizerSpecs(specs: ParamSpecs, slots: readonly string[] = optimizerSlots('adamw')): ParamSpecs {
  const trainable = Object.entries(specs).filter(([, spec]) => spec.trainable);
  return Object.fromEntries(slots.flatMap((slot) => trainable.map(([name, spec]) => [`${slot}/${name}`, spec])));
}

/** What the rules in use keep: steps have declared it to the engine. */
function slotsOf(engine: Engine): readonly string[] {
  const names = engine.stateNames();
  return OPTIMIZER_SLOTS.filter((slot) => names.some((name) => name.startsWith(`${slot}/`)));
}

/** State that is fetched at once: enough to keep the number of reads small, little beside the model. Bytes. */
const GROUP = 64 << 20;

/** Names in their order, in groups of at most about `GROUP` bytes. */
function groupsOf(specs: ParamSpecs): string[][] {
  const groups: string[][] = [];
  let room = 0;
  for (const [name, { shape }] of Object.entries(specs)) {
    const bytes = 4 * sizeOfShape(shape);
    if (bytes > room || groups.length === 0) {
      groups.push([]);
      room = GROUP;
    }
    groups.at(-1)?.push(name);
    room -= bytes;
  }
  return groups;
}

/** State of the engine, fetched group by group while the file is written, so that it is never on the host as a whole. */
function stateOf(engine: Engine, specs: ParamSpecs): Record<string, WritableTensor> {
  const tensors: Record<string, WritableTensor> = {};
  for (const names of groupsOf(specs)) {
    let fetched: ReturnType<Engine['read']> | undefined;
    for (const name of names) {
      const data = async (): Promise<Float32Array> => {
        fetched ??= engine.read(names);
        const { data: values } = (await fetched)[name] as HostTensor;
        // Tensors are written in the order of `specs`: behind the last one of the group nobody needs it any more.
        if (name === names.at(-1)) fetched = undefined;
        return values as Float32Array;
      };
      tensors[name] = { shape: specs[name]?.shape ?? [], dtype: 'float32', data };
    }
  }
  return tensors;
}

/** Writes parameters of the engine, or optimizer state, as one file with official names and layout, brought to the disk. */
export const writeStateFile = (path: string, engine: Engine, specs: ParamSpecs): Promise<void> =>
  saveWeights(path, stateOf(engine, specs), specs, { format: 'pt', writer: 'mimlab' }, { fsync: true });

/** Writes weights and optimizer state into `folder`, official names and layout, brought to the disk. Returns the file names. */
export async function writeWeightFiles(folder: string, engine: Engine, specs: ParamSpecs): Promise<string[]> {
  await writeStateFile(join(folder, MODEL_FILE), engine, specs);
  await writeStateFile(join(folder, OPTIMIZER_FILE), engine, optimizerSpecs(specs, slotsOf(engine)));
  return [MODEL_FILE, OPTIMIZER_FILE];
}

/** Puts weights and optimizer state of a checkpoint into the engine, whose step is compiled. @throws CheckpointError if they do not fit the model. */
export async function restoreWeightFiles(folder: string, engine: Engine, specs: ParamSpecs): Promise<void> {
  // One after the other, so that the host never holds all of it beside the engine.
  await engine.write((await loadWeights(join(folder, MODEL_FILE), specs)).values);
  const slots = slotsOf(engine);
  for (const slot of slots) {
    const others = slots.filter((other) => other !== slot).map((other) => new RegExp(`^${other.replaceAll('.', '\\.')}/`));
    await engine.write((await loadWeights(join(folder, OPTIMIZER_FILE), optimizerSpecs(specs, [slot]), { ignore: others })).values);
  }
}
