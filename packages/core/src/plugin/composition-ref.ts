import { pathToFileURL } from 'node:url';
import { isAbsolute } from 'node:path';
import { PluginError } from '../errors.js';
import type { ImageSpec } from '../image.js';
import type { Composition, Configured } from './compose-run.js';
import type { MethodPlugin, Plugin, WrapperPlugin } from './define-plugin.js';
import type { HookName } from './hook-tokens.js';

/** A plugin by the file it is loaded from. */
export interface PluginRef {
  /** Absolute path or file URL of the module whose default export is the plugin. */
  readonly module: string;
  /** Parsed configuration; plain data, so that it can be sent to a worker. */
  readonly config: unknown;
}

/** A composition as plain data: what a loader's worker gets, and builds its own container from. */
export interface CompositionRef {
  readonly image: ImageSpec;
  readonly method: PluginRef;
  readonly hooks?: Readonly<Partial<Record<HookName, PluginRef>>>;
  readonly wrap?: readonly PluginRef[];
}

/** The modules of all plugins of a composition. */
export const pluginModules = ({ method, hooks = {}, wrap = [] }: CompositionRef): string[] => [method, ...Object.values(hooks), ...wrap].map(({ module }) => module);

/** Loads the plugin a module exports. @throws PluginError if it cannot be imported or exports something else. */
export async function importPlugin(module: string): Promise<Plugin> {
  const url = isAbsolute(module) ? pathToFileURL(module).href : module;
  let exported: unknown;
  try {
    exported = ((await import(url)) as { default?: unknown }).default;
  } catch (cause) {
    throw new PluginError(`cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, {
      place: module,
      ...(module.endsWith('.ts') ? { remedy: 'Node.js reads JavaScript only: build the package first.' } : {}),
      cause,
    });
  }
  const kind = (exported as Partial<Plugin> | undefined)?.kind;
  if (kind !== 'method' && kind !== 'wrapper') {
    throw new PluginError('its default export is no plugin', { place: module, remedy: `Export 'definePlugin({...})' or 'defineWrapper({...})' as default.` });
  }
  return exported as Plugin;
}

/** Imports the plugins of a composition. */
export async function loadComposition(ref: CompositionRef): Promise<Composition> {
  const method = async ({ module, config }: PluginRef): Promise<Configured<MethodPlugin>> => {
    const plugin = await importPlugin(module);
    if (plugin.kind !== 'method') throw new PluginError(`'${plugin.name}' is a wrapper, a method is expected`, { place: module, remedy: `Name it under 'wrap'.` });
    return { plugin, config };
  };
  const wrapper = async ({ module, config }: PluginRef): Promise<Configured<WrapperPlugin>> => {
    const plugin = await importPlugin(module);
    if (plugin.kind !== 'wrapper') throw new PluginError(`'${plugin.name}' is a method, a wrapper is expected`, { place: module, remedy: `Name it under 'method' or 'hooks'.` });
    return { plugin, config };
  };
  const hooks: Partial<Record<HookName, Configured<MethodPlugin>>> = {};
  for (const [name, hook] of Object.entries(ref.hooks ?? {})) hooks[name as HookName] = await method(hook);
  return {
    image: ref.image,
    method: await method(ref.method),
    hooks,
    wrap: await Promise.all((ref.wrap ?? []).map(wrapper)),
  };
}
