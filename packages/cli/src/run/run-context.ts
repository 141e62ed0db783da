import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  composeRun,
  createObjective,
  createRegistry,
  loadComposition,
  loadRunConfig,
  MimlabError,
  type Composition,
  type CompositionRef,
  type LoadedRunConfig,
  type Objective,
  type PluginRegistry,
} from '@mimlab/core';
import { DataConfig, imageSpec } from '@mimlab/data';
import { EngineConfig } from '@mimlab/engine';
import { CONFIG_FILE, TrainConfig } from '@mimlab/train';

/** The sections of a configuration besides those of core, each with the schema of its owner. */
export const SECTIONS = { data: DataConfig, train: TrainConfig, engine: EngineConfig } as const;
export type MimlabConfig = LoadedRunConfig<typeof SECTIONS>['config'];

/** Presets that ship with the command, beside sources and build alike. */
export const PRESETS = fileURLToPath(new URL('../../presets', import.meta.url));

/** Plugins are searched from the folder at hand and from where the command itself is installed. */
export const openRegistry = (): PluginRegistry => createRegistry({ from: [process.cwd(), dirname(fileURLToPath(import.meta.url))] });

/** A configuration together with the hooks it names. */
export interface RunContext {
  readonly loaded: LoadedRunConfig<typeof SECTIONS>;
  readonly config: MimlabConfig;
  readonly compositionRef: CompositionRef;
  readonly composition: Composition;
  readonly objective: Objective;
}

/**
 * Loads a configuration and puts its hooks together.
 * @param file a path or the name of a preset
 * @throws ConfigError, PluginError, CompositionError with everything that is wrong
 */
export async function loadRunContext(file: string, overrides: readonly string[] = []): Promise<RunContext> {
  const loaded = await loadRunConfig(file, { sections: SECTIONS, registry: openRegistry(), presetFolders: [PRESETS], overrides });
  const compositionRef: CompositionRef = { image: imageSpec(loaded.config.data), ...loaded.composition };
  const composition = await loadComposition(compositionRef);
  return { loaded, config: loaded.config, compositionRef, composition, objective: createObjective(composeRun(composition)) };
}

/** The configuration stored in a run folder. @throws MimlabError if the folder is no run. */
export function storedConfig(run: string): string {
  const folder = resolve(run);
  const remedy = `Name the folder that 'mimlab pretrain' wrote: it holds ${CONFIG_FILE} and checkpoints/.`;
  if (!existsSync(folder)) throw new MimlabError('there is no such run', { place: folder, remedy });
  if (!statSync(folder).isDirectory()) throw new MimlabError('is a file, the folder of a run is expected', { place: folder, remedy });
  const file = join(folder, CONFIG_FILE);
  if (!existsSync(file)) throw new MimlabError(`is no run: it has no ${CONFIG_FILE}`, { place: folder, remedy });
  return file;
}
