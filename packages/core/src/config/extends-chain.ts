import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { didYouMean } from '../nearest.js';
import { mergeNodes, type ConfigEntry, type ConfigMap, type ConfigNode, type ConfigProblem, type ConfigScalar } from './config-tree.js';
import { findConfigFile, presetNames } from './preset-files.js';
import { readDocument, shownPath } from './read-document.js';

/**
 * Reads a file and all it extends, merged: what a file says lies over what it extends, later entries of a list over
 * earlier ones. The result has neither the key `extends` nor `reproduces`: both speak of one file, and a file that
 * changes a recipe does not reproduce what the recipe does. Mistakes of all files go to `problems`.
 */
export function readWithBases(file: string, presetFolders: readonly string[], problems: ConfigProblem[], chain: readonly string[] = []): ConfigMap | undefined {
  const own = readDocument(file, problems);
  if (own?.kind !== 'map') return undefined;
  const entries = new Map(own.entries);
  const bases = entries.get('extends');
  entries.delete('extends');
  rowsOf(own, problems);
  entries.delete('reproduces');
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
const baseNames = ({ node }: ConfigEntry, problems: ConfigProblem[]): Named[] =>
  strings('extends', node.kind === 'list' ? node.items : [node], 'the name of a file or preset is expected, or a list of them', problems);

/** Ids of the rows of published tables that a file itself says it reproduces. */
export function rowsOf(file: ConfigMap, problems: ConfigProblem[]): string[] {
  const entry = file.entries.get('reproduces');
  if (entry === undefined) return [];
  const items = entry.node.kind === 'list' ? entry.node.items : [entry.node];
  return strings('reproduces', items, 'the id of a row is expected, or a list of them', problems).map(({ value }) => value);
}

type Named = ConfigScalar & { readonly value: string };

function strings(key: string, items: readonly ConfigNode[], expected: string, problems: ConfigProblem[]): Named[] {
  return items.filter((item): item is Named => {
    const fits = item.kind === 'scalar' && typeof item.value === 'string';
    if (!fits) problems.push({ place: item.origin.place, path: [key], text: expected });
    return fits;
  });
}

function readBase(name: Named, folder: string, presetFolders: readonly string[], problems: ConfigProblem[], chain: readonly string[]): ConfigMap | undefined {
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
