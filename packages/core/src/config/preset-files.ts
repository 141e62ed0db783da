import { existsSync, readdirSync, statSync } from 'node:fs';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

const ENDING = /\.ya?ml$/;

/** Names of the presets in the given folders, as `extends` takes them: `mae/vit-b16-in1k.yaml`. */
export function presetNames(folders: readonly string[]): string[] {
  const names = folders.flatMap((folder) =>
    existsSync(folder)
      ? readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && ENDING.test(entry.name))
          .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
      : [],
  );
  return [...new Set(names)].sort();
}

/**
 * The file that a name means: a path relative to `folder`, else a preset. The ending `.yaml` may be left out.
 * Undefined if there is none.
 */
export function findConfigFile(name: string, folder: string, presetFolders: readonly string[]): string | undefined {
  const onlyAsPath = isAbsolute(name) || name.startsWith('./') || name.startsWith('../');
  const places = onlyAsPath ? [folder] : [folder, ...presetFolders];
  const endings = ENDING.test(name) ? [''] : ['', '.yaml', '.yml'];
  for (const place of places) {
    for (const ending of endings) {
      const file = resolve(place, name + ending);
      if (isFile(file)) return file;
    }
  }
  return undefined;
}

/** What no file can be called, a whole configuration in place of its name say, is none. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
