import { existsSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PluginError } from '../errors.js';
import { didYouMean } from '../nearest.js';
import { importPlugin } from './composition-ref.js';
import { checkCoreRange, type Plugin } from './define-plugin.js';
import { declaredPlugins, entryFile, findPackage, readPackage, type InstalledPackage } from './find-package.js';

export interface LoadedPlugin {
  readonly plugin: Plugin;
  /** Absolute path of the built module, which a worker thread can import. Where a package is not built, its source. */
  readonly module: string;
  /** What finds it again from anywhere: the name it was asked for, or its absolute path. */
  readonly reference: string;
}

/** A plugin package as `mimlab plugins` lists it. */
export interface InstalledPlugin {
  readonly package: string;
  readonly folder: string;
  /** Why it cannot be used; then the fields below are missing. */
  readonly problem?: string;
  readonly name?: string;
  readonly kind?: Plugin['kind'];
  readonly version?: string;
  /** Range of core it was written for. */
  readonly core?: string;
  /** Hooks it offers or decorates; missing if they depend on settings that have neither default nor example. */
  readonly hooks?: readonly string[];
  readonly paper?: string;
}

export interface PluginRegistry {
  /**
   * Finds and imports a plugin.
   * @param name short name (`mae`), package name, or path (`./my-method.js`)
   * @param from folder that a relative path means, and whose packages are searched first
   * @throws PluginError if there is none, it cannot be loaded, does not fit this core, or another one has its name.
   */
  load(name: string, from?: string): Promise<LoadedPlugin>;
  /** Every plugin package that can be found, usable or not, by name. */
  list(): Promise<InstalledPlugin[]>;
}

/** Modules are taken from their sources when this one is: under a test runner, without a build. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
const BUILT = ['node', 'import', 'module-sync'];
const SOURCE = ['@mimlab/source', ...BUILT];

const isPath = (name: string): boolean => /^\.{0,2}[\\/]|^file:|^\.{1,2}$/.test(name) || isAbsolute(name) || /^[^@][^/]*\.[mc]?[jt]s$/.test(name);

/** Packages that a short name may mean. */
const packagesOf = (name: string): string[] => (name.includes('/') ? [name] : [`@mimlab/plugin-${name}`, `@mimlab/${name}`, `mimlab-plugin-${name}`, name]);

interface Located {
  /** What is imported here. */
  readonly file: string;
  readonly module: string;
}

/** A registry that searches the `node_modules` of the given folders and of those above them. */
export function createRegistry(options: { readonly from: readonly string[] }): PluginRegistry {
  const loaded = new Map<string, LoadedPlugin>();

  async function load(name: string, from?: string): Promise<LoadedPlugin> {
    const folders = from === undefined ? options.from : [from, ...options.from];
    if (isPath(name)) {
      const path = name.startsWith('file:') ? fileURLToPath(name) : resolve(from ?? process.cwd(), name);
      return register(await importLocated(locateFile(path)), path);
    }
    const found = new Map<string, InstalledPackage>();
    for (const candidate of packagesOf(name)) {
      const installed = findPackage(candidate, folders);
      if (installed !== undefined && !found.has(installed.folder)) found.set(installed.folder, installed);
    }
    // The bare name is any package at all: it counts only where nothing with a telling name is there.
    const telling = [...found.values()].filter((installed) => installed.name !== name || name.includes('/'));
    const packages = telling.length > 0 ? telling : [...found.values()];
    if (packages.length === 0) return loadByPluginName(name, folders);
    let result: LoadedPlugin | undefined;
    for (const installed of packages) result = register(await importLocated(locatePackage(installed)), name);
    return result as LoadedPlugin;
  }

  /** For packages whose own name says nothing about the plugin's. */
  async function loadByPluginName(name: string, folders: readonly string[]): Promise<LoadedPlugin> {
    const known = [...loaded.keys()];
    const registered = loaded.get(name);
    if (registered !== undefined) return registered;
    for (const installed of declaredPlugins(folders)) {
      const found = await importLocated(locatePackage(installed)).catch(() => undefined);
      if (found === undefined) continue;
      if (found.plugin.name === name) return register(found, name);
      known.push(found.plugin.name);
    }
    const names = [...new Set(known)].sort();
    throw new PluginError(`no plugin '${name}' is installed${didYouMean(name, names)}`, {
      remedy: names.length === 0 ? 'No plugin is installed at all; install one with npm.' : `Installed: ${names.join(', ')}. A plugin of your own is named by its path, as './my-method.js'.`,
    });
  }

  /** Keeps one plugin of each name. */
  function register(found: LoadedPlugin, reference: string): LoadedPlugin {
    const { plugin, module } = found;
    const other = loaded.get(plugin.name);
    const entry = { ...found, reference };
    if (other !== undefined && other.module !== module) {
      if (other.plugin.replace === true && plugin.replace !== true) return other;
      if (plugin.replace !== true) {
        throw new PluginError(`two plugins are named '${plugin.name}': ${other.module} and ${module}`, {
          remedy: `Rename one, uninstall one, or let one say 'replace: true'.`,
        });
      }
    }
    loaded.set(plugin.name, entry);
    return entry;
  }

  async function list(): Promise<InstalledPlugin[]> {
    const plugins = await Promise.all(declaredPlugins(options.from).map(describe));
    return plugins.sort((a, b) => (a.name ?? a.package).localeCompare(b.name ?? b.package));
  }

  return { load, list };
}

async function importLocated({ file, module }: Located): Promise<LoadedPlugin> {
  const plugin = await importPlugin(file);
  checkCoreRange(plugin);
  return { plugin, module, reference: module };
}

function locateFile(path: string): Located {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) throw new PluginError('there is no such file or folder', { place: path });
  if (status.isDirectory()) {
    const installed = readPackage(path);
    if (installed === undefined) throw new PluginError('this folder holds no package', { place: path, remedy: 'Name the JavaScript file of the plugin.' });
    return locatePackage(installed);
  }
  const file = realpathSync(path);
  return { file, module: file };
}

/** Imported is what runs here, source or build; workers get the build, because they cannot read TypeScript. */
function locatePackage(installed: InstalledPackage): Located {
  const built = entryFile(installed, BUILT);
  const source = FROM_SOURCE ? entryFile(installed, SOURCE) : undefined;
  const hasBuild = built !== undefined && existsSync(built);
  const file = source !== undefined && existsSync(source) ? source : built;
  if (file === undefined) throw new PluginError('the package exports nothing that can be imported', { place: installed.name, remedy: `Give its package.json an 'exports' entry.` });
  if (!existsSync(file)) throw new PluginError(`its file ${file} does not exist`, { place: installed.name, remedy: 'Build the package, or install it again.' });
  return { file, module: hasBuild ? built : file };
}

async function describe(installed: InstalledPackage): Promise<InstalledPlugin> {
  const base = { package: installed.name, folder: installed.folder };
  try {
    const { plugin } = await importLocated(locatePackage(installed));
    const hooks = offeredHooks(plugin);
    return { ...base, name: plugin.name, kind: plugin.kind, version: plugin.version, core: plugin.core, paper: plugin.paper, ...(hooks === undefined ? {} : { hooks }) };
  } catch (error) {
    return { ...base, version: installed.version, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** Names of the hooks that a plugin offers (or decorates) with its example, else its default settings; undefined if it has neither. */
export function offeredHooks(plugin: Plugin): string[] | undefined {
  const defaults = plugin.configSchema.safeParse(plugin.exampleConfig ?? {});
  if (!defaults.success) return undefined;
  return Object.keys(plugin.kind === 'method' ? plugin.hooks(defaults.data) : plugin.wrap(defaults.data));
}
