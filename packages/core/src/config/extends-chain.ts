import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { didYouMean } from '../nearest.js';
import { mergeNodes, type ConfigEntry, type ConfigMap, type ConfigNode, type ConfigProblem, type ConfigScalar } from './config-tree.js';
import { findConfigFile, presetNames } from './preset-files.js';
import { readDocument, shownPath } from './read-document.js';

/**
 * Reads a file and all it extends, merged: what a file says lies over what it extends, later entries of a list over
 * earlier ones. The result has no key `extends`. Mistakes of all files go to `problems`.
 */
export function readWithBases(file: string, presetFolders: readonly string[], problems: ConfigProblem[], chain: readonly string[] = []): ConfigMap | undefined {
  const own = readDocument(file, problems);
  if (own?.kind !== 'map') return undefined;
  const entries = new Map(own.entries);
  const bases = entries.get('extends');
  entries.delete('extends');
  const over: ConfigMap = { ...own, entries };
  if (bases === undefined) return over;

  const here = [...chain, realpathSync(file)];
  let merged: ConfigNode | undefined;
  for (const name of baseNames(bases, problems)) {
    const base = readBase(name, dirname(file), presetFolders, problems, here);
    if (base !== undefined) merged = merged === undefined ? base : mergeNodes(merged, base);
  }
  return merged === undefined ? over : (mergeNodes(merged, over) as ConfigMap);
}

/** The strings that `extends` lists. */
function baseNames({ node }: ConfigEntry, problems: ConfigProblem[]): (ConfigScalar & { value: string })[] {
  const items = node.kind === 'list' ? node.items : [node];
  return items.filter((item): item is ConfigScalar & { value: string } => {
    const fits = item.kind === 'scalar' && typeof item.value === 'string';
    if (!fits) problems.push({ place: item.origin.place, path: ['extends'], text: 'the name of a file or preset is expected, or a list of them' });
    return fits;
  });
}

function readBase(name: ConfigScalar & { value: string }, folder: string, presetFolders: readonly string[], problems: ConfigProblem[], chain: readonly string[]): ConfigMap | undefined {
  const problem = (text: string): undefined => {
    problems.push({ place: name.origin.place, path: ['extends'], text });
  };
  const base = findConfigFile(name.value, folder, presetFolders);
  if (base === undefined) {
    return problem(`there is no file or preset '${name.value}'${didYouMean(name.value, presetNames(presetFolders))}`);
  }
  const real = realpathSync(base);
  if (chain.includes(real)) return problem(`this closes a circle: ${[...chain.slice(chain.indexOf(real)), real].map(shownPath).join(' -> ')}`);
  return readWithBases(base, presetFolders, problems, chain);
}
