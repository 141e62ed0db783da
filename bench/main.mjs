// `npm run bench`: see bench/README.md.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { buildAll, root, setup } from '../scripts/setup.mjs';
import { compare } from './compare.mjs';
import { PARTS } from './goal-parts.mjs';
import { judge } from './goals.mjs';
import { HELP, parseOptions, UsageError } from './options.mjs';
import { rewritePages } from './page.mjs';
import { failureList, goalsTable, growthTable, loadingTable, methodsTables, pytorchTable } from './tables.mjs';

const say = (text) => process.stderr.write(`${text}\n`);
const print = (text) => process.stdout.write(`${text}\n`);
const minutes = (seconds) => `${(seconds / 60).toFixed(1)} min`;

function emptyResults(kind, { threads, set }) {
  const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryBytes: totalmem(), node: process.version, load: loadavg()[0] };
  return { format: 1, kind, taken: new Date().toISOString(), machine, threads, set, comparisons: [] };
}

async function measureGoals({ only }, results, tools) {
  results.parts = {};
  for (const part of only) {
    const began = performance.now();
    say(`${part}: at most ${PARTS[part].minutes} min on an idle machine`);
    await PARTS[part].measure(results, tools);
    results.parts[part] = { budgetMinutes: PARTS[part].minutes, seconds: (performance.now() - began) / 1000 };
    say(`${part}: done in ${minutes(results.parts[part].seconds)}`);
    tools.save();
  }
}

async function measureSelection({ methods, cases, precisions, gammas, pytorch }, results, tools) {
  const measure = async (comparison) => {
    results.comparisons.push(await compare(comparison, tools));
    tools.save();
  };
  for (const caseName of cases) {
    for (const precision of precisions) {
      for (const method of methods) {
        // PyTorch has no throwing: it runs beside the bare method alone, so that no more peers live at once than memory holds.
        if (method === 'mae' && gammas.includes(0) && pytorch.length > 0) {
          await measure({ method, caseName, precision, gammas: [0], pytorch, details: gammas.length === 1 });
          if (gammas.length === 1) continue;
        }
        await measure({ method, caseName, precision, gammas });
      }
    }
  }
}

function printTables(results, { only }) {
  const { comparisons, loading, growth } = results;
  // Of chosen parts, their goals alone.
  const judged = results.kind === 'goals' ? judge(results).filter(({ measured }) => measured !== undefined || only.length === Object.keys(PARTS).length) : [];
  const texts = [
    pytorchTable(comparisons),
    methodsTables(comparisons),
    failureList(comparisons),
    loading === undefined ? '' : loadingTable(loading),
    growth === undefined ? '' : growthTable(growth),
    goalsTable(judged),
  ];
  print(texts.filter((text) => text !== '').join('\n\n'));
}

async function main(args) {
  const options = parseOptions(args, Object.keys(PARTS));
  if (options.help) return print(HELP);
  if (options.build) {
    await setup({ log: say });
    buildAll();
  }
  if (options.page) return rewritePages(root);
  const { generateImages } = await import('./images.mjs');
  const results = emptyResults(options.goals ? 'goals' : 'selection', options);
  const output = options.output && resolve(options.output);
  if (output !== undefined) mkdirSync(dirname(output), { recursive: true });
  const { load, cores } = results.machine;
  if (load > cores / 4) say(`the machine is busy (load average ${load.toFixed(1)} on ${cores} cores): ratios will spread, and PyTorch suffers most`);
  const folder = mkdtempSync(join(tmpdir(), 'mimlab-bench-'));
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) process.once(signal, () => process.exit(code));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  say('generating images for the loader');
  const folders = await generateImages(folder);
  const { threads, set, rounds, pytorch } = options;
  // Written after every comparison: a failure loses nothing that was measured before it.
  const began = performance.now();
  const save = () => {
    results.seconds = (performance.now() - began) / 1000;
    if (output !== undefined) writeFileSync(output, `${JSON.stringify(results, null, 2)}\n`);
  };
  await (options.goals ? measureGoals : measureSelection)(options, results, { threads, set, rounds, pytorch, folder, folders, say, save });
  if (options.json) print(JSON.stringify(results, null, 2));
  else printTables(results, options);
}

await main(process.argv.slice(2)).catch((error) => {
  say(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
