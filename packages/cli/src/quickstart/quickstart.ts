import { join } from 'node:path';
import type { Engine } from '@mimlab/engine';
import { readMetrics, runPaths, writeFileAtomically } from '@mimlab/train';
import { aligned } from '../commands/plugins.js';
import { freeRunFolder, trainReporter } from '../commands/pretrain.js';
import { formulaRatio } from '../cost/count-cost.js';
import { writeLossChart } from '../curve/loss-chart.js';
import { textCurve } from '../curve/text-curve.js';
import { durationText } from '../duration.js';
import { Interrupted } from '../failure.js';
import { writePng } from '../pictures/canvas.js';
import { pictureCaption, predictPixels } from '../pictures/predict-pixels.js';
import { preparedImages } from '../pictures/prepared-images.js';
import { drawReconstructions } from '../pictures/reconstruction-grid.js';
import { catchInterrupt } from '../run/interruption.js';
import { meanLoss } from '../run/mean-loss.js';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import { constantLevel } from '../run/run-header.js';
import { runStatistics, trainRun } from '../run/train-run.js';
import type { Terminal } from '../terminal.js';
import { DIRECTIONS, measureFeatures, type Measured } from './measure-features.js';
import { knnRows, markdownReport, type QuickstartResults } from './report.js';

const PRESET = 'mae/mnist-quickstart';
const LABELS_PER_CLASS = [10];
const DRAWS = 5;
const PICTURES = 8;

/** Pre-trains on MNIST, draws reconstructions, and measures the features: the first thing a newcomer sees. */
export async function quickstart({ output }: { readonly output?: string }, terminal: Terminal): Promise<void> {
  const began = performance.now();
  const context = await loadRunContext(PRESET);
  const folder = output ?? freeRunFolder('quickstart');
  const reporter = trainReporter(context, terminal);
  const interruption = catchInterrupt(terminal);
  let knn: Measured[] = [];
  let engineName = '';
  try {
    const summary = await trainRun({
      context,
      output: folder,
      resume: false,
      signal: interruption.signal,
      report: reporter.report,
      afterwards: async (engine) => {
        reporter.end();
        interruption.end();
        engineName = engine.description;
        await drawPictures(context, engine, join(folder, 'reconstructions.png'));
        const note = (line: string): void => {
          terminal.note(`nearest neighbours: ${line}`);
        };
        knn = await measureFeatures({ context, engine, labelsPerClass: LABELS_PER_CLASS, draws: DRAWS, note });
      },
    });
    if (summary.outcome === 'stopped') throw new Interrupted(`Stopped after update ${summary.update} of ${summary.updates}. Go on with: mimlab pretrain --resume ${folder}`);

    const rows = await readMetrics(runPaths(folder).metrics);
    const results: QuickstartResults = {
      preset: PRESET,
      images: context.config.train.batch * context.config.train.accumulate * summary.updates,
      updates: summary.updates,
      trainSeconds: summary.seconds,
      totalSeconds: (performance.now() - began) / 1000,
      engine: engineName,
      costRatio: formulaRatio(context.objective, context.composition),
      firstLoss: meanLoss(rows, 'first'),
      lastLoss: meanLoss(rows, 'last'),
      features: `all patch tokens, along their ${DIRECTIONS} principal directions`,
      knn,
    };
    const points = rows.map(({ step, loss }) => ({ x: step, y: loss }));
    const level = constantLevel(context.objective);
    await writeLossChart(
      { title: 'MAE + PR-MIM on MNIST', xName: 'update', curves: { loss: points }, ...(level === undefined ? {} : { level: { y: level, name: 'each patch predicted by its mean' } }) },
      join(folder, 'loss'),
    );
    await writeFileAtomically(join(folder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
    await writeFileAtomically(join(folder, 'results.md'), markdownReport(results));

    terminal.out(textCurve(points, { xName: 'update' }));
    terminal.out('');
    for (const line of aligned(knnRows(knn))) terminal.out(line);
    terminal.out('');
    terminal.out(`${durationText(results.totalSeconds)}; everything is in ${folder}: loss.png, reconstructions.png, results.md, results.json`);
  } finally {
    reporter.end();
    interruption.end();
  }
}

/** Reconstructions of the first test images. */
async function drawPictures(context: RunContext, engine: Engine, path: string): Promise<void> {
  const { objective } = context;
  const images = await preparedImages(context, [], PICTURES);
  const rows = await predictPixels({ objective, engine, statistics: await runStatistics(context), images, seed: 0, source: 'visible' });
  await writePng(drawReconstructions(rows, pictureCaption(objective, 'visible')), path);
}
