// The figures of docs/benchmarks.md and README.md: every number between two marks comes from docs/benchmarks/*.json.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from './goals.mjs';
import { failureList, goalsTable, growthTable, loadingTable, machineText, methodsTables, pytorchTable } from './tables.mjs';

const MARK = /<!-- bench:([a-z]+) -->[^]*?<!-- \/bench -->/g;

/** Replaces what stands between `<!-- bench:NAME -->` and `<!-- /bench -->`. @throws Error if marks and parts differ */
export function rewriteMarked(text, parts) {
  const marked = [...text.matchAll(MARK)].map(([, name]) => name);
  const missing = Object.keys(parts).filter((name) => !marked.includes(name));
  const unknown = marked.filter((name) => !(name in parts));
  if (missing.length > 0) throw new Error(`the page has no mark for ${missing.join(', ')}`);
  if (unknown.length > 0) throw new Error(`the page has marks for what nobody writes: ${unknown.join(', ')}`);
  return text.replace(MARK, (_, name) => `<!-- bench:${name} -->${parts[name]}<!-- /bench -->`);
}

const FORMAT = 1;

/** Reads every results file of a folder, sorted by name; none where there is no folder. @throws Error on one of another format */
export function readResults(folder) {
  if (!existsSync(folder)) return [];
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
  const parts = {
    goals: goals === undefined ? NONE : joined(machineText(goals), goalsTable(judge(goals))),
    pytorch: orNone(goals?.comparisons, (comparisons) => joined(pytorchTable(comparisons), failureList(comparisons))),
    loading: orNone(goals?.loading, loadingTable),
    growth: orNone(goals?.growth, (points) => joined('![Step time over sequence length and batch size](benchmarks/growth.svg)', growthTable(points))),
    methods: orNone(selected, (comparisons) => joined(...selections.map(machineText), methodsTables(comparisons), failureList(comparisons))),
  };
  return Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, `\n${text}\n`]));
}

/** The marked part of the README: the step's time over PyTorch's in both cases; undefined where it was not measured. */
export function readmeParts(all) {
  const goals = all.find(({ kind }) => kind === 'goals');
  const [small, large] = goals === undefined ? [] : judge(goals);
  if (small?.measured === undefined || large?.measured === undefined) return undefined;
  return { step: `${small.measured.median.toFixed(2)} and ${large.measured.median.toFixed(2)}` };
}

/** Rewrites docs/benchmarks.md and README.md below `root`, and draws the page's picture. */
export async function rewritePages(root) {
  const folder = join(root, 'docs', 'benchmarks');
  const all = readResults(folder);
  const rewrite = (page, parts) => writeFileSync(page, rewriteMarked(readFileSync(page, 'utf8'), parts));
  rewrite(join(root, 'docs', 'benchmarks.md'), pageParts(all));
  const headline = readmeParts(all);
  if (headline !== undefined) rewrite(join(root, 'README.md'), headline);
  const growth = all.find(({ kind }) => kind === 'goals')?.growth;
  if (growth === undefined) return;
  const { growthSvg } = await import('./growth-plot.mjs');
  writeFileSync(join(folder, 'growth.svg'), await growthSvg(growth));
}
