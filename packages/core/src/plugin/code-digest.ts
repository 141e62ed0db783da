import { createHash, type Hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPackage, readPackage, type InstalledPackage } from './find-package.js';

const CODE = /\.(?:[cm]?js|[cm]?ts|wasm|node)$/;
/** What is no part of the running program. */
const BESIDE = /\.d\.[cm]?ts$|\.(?:test|spec)\.[cm]?[jt]s$|^(?:vite|vitest|eslint)\.config\.[cm]?[jt]s$/;
/** What an import statement, an `import()` or a `require()` names. */
const SPECIFIER = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["']([^"'\n]+)["']/g;
/** A folder with more entries is no code to be read at every start, but a project with its data. */
const MOST_ENTRIES = 20_000;
const MOST_BYTES = 64 << 20;

/** Code that lies together, and what it asks for elsewhere. */
interface FolderCode {
  readonly digest: string;
  /** Names of the packages that it imports. */
  readonly imports: ReadonlySet<string>;
}

/**
 * A hash that changes whenever the code behind some modules does: for results that are kept from one start to the next.
 *
 * Read are the packages (or, without one, the folders) that the modules lie in, and every package they import that may
 * change in place: mimlab's own and what is linked from elsewhere. Other installed packages count by name and version.
 * Contents are hashed, not times, because installers set those to anything.
 * @param modules absolute paths or file URLs
 * @returns undefined where the code cannot be told for sure: it cannot be read, imports by paths or links outside its
 *   folder, or lies in a folder too large to read. What code reads from other files than programs and JSON is not seen.
 */
export function codeDigest(modules: readonly string[]): string | undefined {
  try {
    return digestOf(modules);
  } catch {
    // What cannot be read, or vanishes meanwhile, cannot be told for sure either.
    return undefined;
  }
}

function digestOf(modules: readonly string[]): string | undefined {
  const waiting = modules.map((module) => folderOf(module.startsWith('file:') ? fileURLToPath(module) : module));
  const hash = createHash('sha256').update(process.version);
  const known = new Set<string>();
  const versions = new Set<string>();
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (known.has(folder)) continue;
    known.add(folder);
    const code = readCode(folder);
    if (code === undefined) return undefined;
    versions.add(`${folder} ${code.digest}`);
    const manifest = readPackage(folder);
    for (const name of new Set([...code.imports, ...(manifest === undefined ? [] : declared(manifest))])) {
      const found = findPackage(name, [folder]);
      if (found === undefined) versions.add(`${name} is missing`);
      else if (changesInPlace(found)) waiting.push(found.folder);
      else versions.add(`${found.name} ${found.version}`);
    }
  }
  for (const version of [...versions].sort()) hash.update(`${version}\n`);
  return hash.digest('hex');
}

const changesInPlace = ({ name, folder }: InstalledPackage): boolean => name.startsWith('@mimlab/') || !folder.split(sep).includes('node_modules');

/** Packages that a manifest says are used while running. */
const declared = ({ manifest }: InstalledPackage): string[] =>
  ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((key) => Object.keys((manifest[key] ?? {}) as object));

/** The package that a module lies in; its own folder where there is none. */
function folderOf(module: string): string {
  const own = dirname(realpathSync(module));
  for (let folder = own; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder;
    if (dirname(folder) === folder) return own;
  }
}

function readCode(folder: string): FolderCode | undefined {
  const found = filesUnder(folder);
  if (found === undefined) return undefined;
  const { files } = found;
  const hash = createHash('sha256');
  const imports = new Set<string>();
  let bytes = 0;
  let readsJson = false;
  const add = (into: Hash, file: string): Buffer => {
    const content = readFileSync(file);
    bytes += content.length;
    into.update(`${relative(folder, file)} ${content.length}\n`).update(content);
    return content;
  };
  for (const file of files.filter((name) => CODE.test(name))) {
    const content = add(hash, file);
    if (bytes > MOST_BYTES) return undefined;
    if (!/[jt]s$/.test(file)) continue;
    const text = content.toString();
    readsJson ||= text.includes('.json');
    for (const [, specifier = ''] of text.matchAll(SPECIFIER)) {
      if (specifier.startsWith('node:')) continue;
      if (specifier.startsWith('file:') || isAbsolute(specifier)) return undefined;
      if (!specifier.startsWith('.')) imports.add(packageName(specifier));
      else if (!found.folders.has(dirname(resolve(dirname(file), specifier))) || found.links.has(resolve(dirname(file), specifier))) return undefined;
    }
  }
  // Tables may lie in JSON; so do the results of runs, which are no code.
  for (const file of readsJson ? files.filter((name) => name.endsWith('.json')) : []) add(hash, file);
  return bytes > MOST_BYTES ? undefined : { digest: hash.digest('hex'), imports };
}

/** `@scope/name` or `name`, without the path behind it. */
const packageName = (specifier: string): string => specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1).join('/');

interface Found {
  /** Programs and JSON files, in order. */
  readonly files: readonly string[];
  /** The folders they were looked for in. */
  readonly folders: ReadonlySet<string>;
  /** Links to folders, which were not followed. */
  readonly links: ReadonlySet<string>;
}

/** What lies in a folder, without the packages inside it. Undefined if there is too much. */
function filesUnder(root: string): Found | undefined {
  const files: string[] = [];
  const folders = new Set<string>();
  const links = new Set<string>();
  let entries = 0;
  const visit = (folder: string): void => {
    folders.add(folder);
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (++entries > MOST_ENTRIES) return;
      const path = join(folder, entry.name);
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      if (entry.isDirectory()) {
        if (!existsSync(join(path, 'package.json'))) visit(path);
      } else if ((CODE.test(entry.name) && !BESIDE.test(entry.name)) || entry.name.endsWith('.json')) files.push(path);
      else if (entry.isSymbolicLink()) links.add(path);
    }
  };
  visit(root);
  return entries > MOST_ENTRIES ? undefined : { files, folders, links };
}
