import { dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { ConfigError, MimlabError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import type { CompositionRef, PluginRef } from '../plugin/composition-ref.js';
import type { HookName } from '../plugin/hook-tokens.js';
import type { LoadedPlugin, PluginRegistry } from '../plugin/registry.js';
import { configError, located } from './config-problems.js';
import { nodeAt, toPlain, type ConfigMap, type ConfigPath, type ConfigProblem } from './config-tree.js';
import { readWithBases } from './extends-chain.js';
import { applyOverrides } from './overrides.js';
import { findConfigFile, presetNames } from './preset-files.js';
import { shownPath } from './read-document.js';
import { mapKeys, runSchema, type PluginSettings, type Sections } from './run-schema.js';
import { schemaProblems } from './zod-problems.js';

/** A resolved configuration: every key there, defaults included. Plain data. */
export type RunConfig<S extends Sections> = {
  readonly seed: number;
  readonly output?: string;
  readonly method: PluginSettings;
  readonly hooks: Readonly<Partial<Record<HookName, PluginSettings>>>;
  readonly wrap: readonly PluginSettings[];
} & { readonly [K in keyof S]: z.output<S[K]> };

export interface LoadRunConfigOptions<S extends Sections> {
  /** Schemas of the sections by their key. Each is a strict object. */
  readonly sections: S;
  readonly registry: Pick<PluginRegistry, 'load'>;
  /** Folders in which `extends` (and the file itself) are looked up besides the file's own. */
  readonly presetFolders?: readonly string[];
  /** `a.b.0.c=value`, as given to `--set`. */
  readonly overrides?: readonly string[];
}

export interface LoadedRunConfig<S extends Sections> {
  /** The file that was read. */
  readonly file: string;
  readonly config: RunConfig<S>;
  /** The plugins with their parsed settings: what `composeRun` and the loader's workers need, but for the image size. */
  readonly composition: Omit<CompositionRef, 'image'>;
  /** The resolved configuration as YAML; loading it again gives the same configuration. */
  format(): string;
}

/**
 * Loads a configuration: reads the file and what it extends, lays overrides on it, checks every value.
 * @param file path, or name of a preset
 * @throws ConfigError with every mistake at once, each as `file:line:column: key.path: problem, got VALUE, expected ...`
 */
export async function loadRunConfig<S extends Sections>(file: string, options: LoadRunConfigOptions<S>): Promise<LoadedRunConfig<S>> {
  const { sections, registry, presetFolders = [], overrides = [] } = options;
  const found = findConfigFile(file, process.cwd(), presetFolders);
  if (found === undefined) throw missingFile(file, presetFolders);
  const problems: ConfigProblem[] = [];
  const written = readWithBases(found, presetFolders, problems);
  // A file that cannot be read leaves nothing to check: what it would have set would be reported as missing.
  if (written === undefined || problems.length > 0) throw configError(problems);
  const tree = applyOverrides(written, overrides, process.cwd(), problems);

  const plain = withEmptyMaps(toPlain(tree) as Record<string, unknown>, sections);
  const schema = runSchema(sections);
  const parsed = schema.safeParse(plain);
  if (!parsed.success) problems.push(...located(tree, [], schemaProblems(parsed.error, schema, plain)));

  const plugins: LoadedSlot[] = [];
  for (const slot of pluginSlots(tree)) {
    const loaded = await loadSlot(tree, slot, registry, problems);
    if (loaded !== undefined) plugins.push(loaded);
  }
  if (!parsed.success || problems.length > 0) throw configError(problems);
  const whole = settled(schema, parsed.data);
  if (whole === undefined) throw new ConfigError('a section does not accept what its own schema gives', { place: Object.keys(sections).join(', ') });
  const config = resolvedConfig(whole as Record<string, unknown>, plugins) as RunConfig<S>;
  return {
    file: found,
    config,
    composition: compositionOf(plugins),
    format: () => stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }),
  };
}

/** Names of presets in one message; those that begin like the one asked for, else those of its folder, come first. */
const MOST_SHOWN = 8;

function missingFile(file: string, presetFolders: readonly string[]): ConfigError {
  const presets = presetNames(presetFolders).map((name) => name.replace(/\.ya?ml$/, '')).sort();
  const wanted = file.replace(/\.ya?ml$/, '');
  const near = [presets.filter((name) => name.startsWith(wanted)), presets.filter((name) => dirname(name) === dirname(wanted)), presets].find((names) => names.length > 0) ?? [];
  const shown = near.slice(0, MOST_SHOWN);
  return new ConfigError(`there is no such file or preset${didYouMean(wanted, presets)}`, {
    place: shownPath(resolve(file)),
    ...(shown.length === 0 ? {} : { remedy: `Presets: ${shown.join(', ')}${shown.length < presets.length ? `, ... (${presets.length} in all)` : ''}` }),
  });
}

/** `train:` with nothing after it means an empty map; so does a section that is not there at all. */
function withEmptyMaps(plain: Record<string, unknown>, sections: Sections): Record<string, unknown> {
  const filled = { ...plain };
  for (const key of mapKeys(sections)) filled[key] ??= {};
  filled['wrap'] ??= [];
  return filled;
}

/** A place in the configuration that names a plugin. */
interface Slot {
  readonly path: ConfigPath;
  readonly kind: 'method' | 'wrapper';
}
interface LoadedSlot extends Slot {
  readonly plugin: LoadedPlugin;
  /** How to name it so that the resolved configuration finds it from anywhere. */
  readonly name: string;
  readonly settings: unknown;
}

function pluginSlots(tree: ConfigMap): Slot[] {
  const hooks = tree.entries.get('hooks')?.node;
  const wrap = tree.entries.get('wrap')?.node;
  const slots: Slot[] = [{ path: ['method'], kind: 'method' }];
  if (hooks?.kind === 'map') for (const name of hooks.entries.keys()) slots.push({ path: ['hooks', name], kind: 'method' });
  if (wrap?.kind === 'list') wrap.items.forEach((_, index) => slots.push({ path: ['wrap', index], kind: 'wrapper' }));
  return slots;
}

async function loadSlot(tree: ConfigMap, slot: Slot, registry: Pick<PluginRegistry, 'load'>, problems: ConfigProblem[]): Promise<LoadedSlot | undefined> {
  const node = nodeAt(tree, slot.path);
  const named = nodeAt(tree, [...slot.path, 'plugin']);
  // Anything else than a map with a name has been reported by the schema of the whole.
  if (node?.kind !== 'map' || named?.kind !== 'scalar' || typeof named.value !== 'string' || named.value === '') return undefined;
  const at = { place: named.origin.place, path: [...slot.path, 'plugin'] };
  let plugin: LoadedPlugin;
  try {
    plugin = await registry.load(named.value, named.origin.folder);
  } catch (error) {
    if (!(error instanceof MimlabError)) throw error;
    problems.push({ ...at, text: error.message });
    return undefined;
  }
  if (plugin.plugin.kind !== slot.kind) {
    const remedy = slot.kind === 'method' ? `name it under 'wrap'` : `name it under 'method' or 'hooks'`;
    problems.push({ ...at, text: `'${plugin.plugin.name}' is a ${plugin.plugin.kind}, a ${slot.kind} is expected; ${remedy}` });
    return undefined;
  }
  const given = toPlain(node) as Record<string, unknown>;
  delete given['plugin'];
  const schema = plugin.plugin.configSchema;
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    problems.push(...located(tree, slot.path, schemaProblems(parsed.error, schema, given)));
    return undefined;
  }
  const settings = settled(schema, parsed.data);
  if (settings === undefined) {
    problems.push({ ...at, text: `the schema of '${plugin.plugin.name}' does not accept what it gives: its stored settings could not be loaded again` });
    return undefined;
  }
  return { ...slot, plugin, name: plugin.reference, settings };
}

/**
 * What a schema makes of its own result, which must be the same: a run stores resolved settings and loads them again.
 * Taken in place of the first result, since it has its keys in the order that every later loading gives.
 */
function settled(schema: z.ZodType, value: unknown): unknown {
  const again = schema.safeParse(value);
  return again.success && isDeepStrictEqual(again.data, value) ? again.data : undefined;
}

function resolvedConfig(parsed: Record<string, unknown>, plugins: readonly LoadedSlot[]): Record<string, unknown> {
  const hooks: Record<string, unknown> = {};
  const wrap: unknown[] = [];
  const config: Record<string, unknown> = { ...parsed, hooks, wrap };
  for (const { path, name, settings } of plugins) {
    const value = { plugin: name, ...(settings as object) };
    if (path[0] === 'method') config['method'] = value;
    else if (path[0] === 'hooks') hooks[String(path[1])] = value;
    else wrap.push(value);
  }
  return config;
}

function compositionOf(plugins: readonly LoadedSlot[]): Omit<CompositionRef, 'image'> {
  const refOf = ({ plugin, settings }: LoadedSlot): PluginRef => ({ module: plugin.module, config: settings });
  const under = (key: string): LoadedSlot[] => plugins.filter(({ path }) => path[0] === key);
  return {
    method: refOf(under('method')[0] as LoadedSlot),
    hooks: Object.fromEntries(under('hooks').map((slot) => [String(slot.path[1]), refOf(slot)])),
    wrap: under('wrap').map(refOf),
  };
}
