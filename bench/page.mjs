// The figures of docs/benchmarks.md: every number between two marks comes from the JSON files beside it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from './goals.mjs';
import { failureList, goalsTable, growthTable, loadingTable, machineText, methodsTables, pytorchTable } from './tables.mjs';

const MARK = /<!-- bench:([a-z]+) -->\n(?:[^]*?\n)??<!-- \/bench -->/g;

/** Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench -->`. @throws Error if marks and parts differ */
export function rewriteMarked(text, parts) {
  const marked = [...text.matchAll(MARK)].map(([, name]) => name);
  const missing = Object.keys(parts).filter((name) => !marked.includes(name));
  const unknown = marked.filter((name) => !(name in parts));
  if (missing.length > 0) throw new Error(`the page has no mark for ${missing.join(', ')}`);
  if (unknown.length > 0) throw new Error(`the page has marks for what nobody writes: ${unknown.join(', ')}`);
  return text.replace(MARK, (_, name) => `<!-- bench:${name} -->\n${parts[name]}\n<!-- /bench -->`);
}

const FORMAT = 1;

/** Reads every results file of a folder, sorted by name. @throws Error on one of another format */
export function readResults(folder) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const results = JSON.parse(readFileSync(join(folder, name), 'utf8'));
      if (results.format !== FORMAT) throw new Error(`${join(folder, name)}: format ${results.format}, ${FORMAT} is expected; measure again`);
      return results;
    });
}

const NONE = 'Not measured yet.';
const orNone = (values, render) => (values === undefined || values.length === 0 ? NONE : render(values) || NONE);
const joined = (...texts) => texts.filter((text) => text !== '').join('\n\n');

/** The marked parts of the page. @param all results of several runs; goals are judged within the run that asked for them */
export function pageParts(all) {
  const goals = all.find(({ kind }) => kind === 'goals');
  const selections = all.filter(({ kind }) => kind === 'selection');
  const selected = selections.flatMap(({ comparisons }) => comparisons);
  return {
    goals: goals === undefined ? NONE : joined(machineText(goals), goalsTable(judge(goals))),
    pytorch: orNone(goals?.comparisons, (comparisons) => joined(pytorchTable(comparisons), failureList(comparisons))),
    loading: orNone(goals?.loading, loadingTable),
    growth: orNone(goals?.growth, (points) => joined('![Step time over sequence length and batch size](benchmarks/growth.svg)', growthTable(points))),
    methods: orNone(selected, (comparisons) => joined(...selections.map(machineText), methodsTables(comparisons), failureList(comparisons))),
  };
}

/** Rewrites the page and draws its picture from the results in `folder`. */
export async function rewritePage(page, folder) {
  const all = readResults(folder);
  writeFileSync(page, rewriteMarked(readFileSync(page, 'utf8'), pageParts(all)));
  const growth = all.find(({ kind }) => kind === 'goals')?.growth;
  if (growth === undefined) return;
  const { growthSvg } = await import('./growth-plot.mjs');
  writeFileSync(join(folder, 'growth.svg'), await growthSvg(growth));
}
