import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** An installed package. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Real path of its folder. */
  readonly folder: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** The `node_modules` folders that a module in `folder` sees, nearest first. */
function moduleFolders(folder: string): string[] {
  const own = join(folder, 'node_modules');
  const above = dirname(folder);
  return [...(existsSync(own) ? [own] : []), ...(above === folder ? [] : moduleFolders(above))];
}

/** Reads the package in a folder, or undefined if there is none that can be read. */
export function readPackage(folder: string): InstalledPackage | undefined {
  let manifest: Record<string, unknown> | null;
  try {
    manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown> | null;
  } catch {
    return undefined;
  }
  if (manifest === null) return undefined;
  const { name, version } = manifest;
  if (typeof name !== 'string') return undefined;
  return { name, version: typeof version === 'string' ? version : '0.0.0', folder: realpathSync(folder), manifest };
}

/** The package of this name that a module in one of `folders` would get. */
export function findPackage(name: string, folders: readonly string[]): InstalledPackage | undefined {
  for (const modules of folders.flatMap(moduleFolders)) {
    const found = readPackage(join(modules, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A package says that it is a plugin by `"mimlab": { "plugin": true }` or the keyword `mimlab-plugin`. */
export function declaresPlugin({ manifest }: InstalledPackage): boolean {
  const { mimlab, keywords } = manifest;
  return (mimlab as { plugin?: unknown } | undefined)?.plugin === true || (Array.isArray(keywords) && keywords.includes('mimlab-plugin'));
}

/** Every package visible from `folders` that declares itself a plugin; the nearest of several copies. */
export function declaredPlugins(folders: readonly string[]): InstalledPackage[] {
  const found = new Map<string, InstalledPackage>();
  for (const modules of new Set(folders.flatMap(moduleFolders))) {
    for (const folder of packageFolders(modules)) {
      const candidate = readPackage(folder);
      if (candidate !== undefined && declaresPlugin(candidate) && !found.has(candidate.name)) found.set(candidate.name, candidate);
    }
  }
  return [...found.values()];
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function packageFolders(modules: string): string[] {
  const inside = (folder: string): string[] => (isFolder(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : []);
  return inside(modules).flatMap((name) => (name.startsWith('@') ? inside(join(modules, name)).map((scoped) => join(modules, name, scoped)) : [join(modules, name)]));
}

/**
 * The file that importing a package gives, under the given conditions in the order of the package's own `exports`.
 * Undefined if the package exports nothing for them.
 */
export function entryFile({ folder, manifest }: InstalledPackage, conditions: readonly string[]): string | undefined {
  const { exports, main } = manifest;
  const target = exports === undefined ? (typeof main === 'string' ? main : 'index.js') : pick(rootExport(exports), conditions);
  return target === undefined ? undefined : join(folder, target);
}

/** `exports` may be the root's target itself, or a map of subpaths. */
function rootExport(exports: unknown): unknown {
  const isSubpaths = typeof exports === 'object' && exports !== null && Object.keys(exports).some((key) => key.startsWith('.'));
  return isSubpaths ? (exports as Record<string, unknown>)['.'] : exports;
}

function pick(target: unknown, conditions: readonly string[]): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  for (const [condition, inner] of Object.entries(target)) {
    if (condition !== 'default' && !conditions.includes(condition)) continue;
    const found = pick(inner, conditions);
    if (found !== undefined) return found;
  }
  return undefined;
}
