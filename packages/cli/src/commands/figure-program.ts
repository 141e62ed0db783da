import type { Command } from 'commander';
import { Option } from 'commander';
import { WEIGHTS } from '../deviation/deviation-file.js';
import { STATISTICS } from '../pictures/predict-pixels.js';
import type { Terminal } from '../terminal.js';
import type { DeviationCommandOptions } from './deviation.js';
import type { PicturesOptions } from './figure.js';

/** How options are read; the same for every command. */
export interface OptionReaders {
  readonly collect: (value: string, before: readonly string[]) => string[];
  readonly count: (text: string) => number;
  readonly seed: (text: string) => number;
}

/** Adds `mimlab deviation`. */
export function addDeviation(command: Command, { collect, count, seed }: OptionReaders, terminal: Terminal): void {
  command
    .argument('<runs...>', 'folders of runs: those that throw tokens are measured at their own weights, those that do not at weights common to all methods')
    .addOption(new Option('--weights <which>', 'own, common or init; init takes the weights that training starts with').choices(WEIGHTS))
    .option('--methods <list>', 'RECONSTRUCTION:SAMPLER, compared at common weights', 'subset:random,partial:random,progressive:furthest')
    .option('--throw <list>', 'throwing ratios at common weights', '0.25,0.5,0.65')
    .addOption(new Option('--set <key=value>', 'key of pr-mim for progressive methods at common weights, as aggregator.kernel=3; may be given again').argParser(collect).default([], 'none'))
    .option('--batches <n>', 'batches that are averaged over', count, 8)
    .option('--plans <n>', 'plans of each batch', count, 4)
    .option('--batch <n>', `images a batch (default: the run's)`, count)
    .option('--fit <n>', 'updates that an aggregation is fitted with at common weights', count, 300)
    .option('--seed <n>', 'seed of images, masks and plans', seed, 0)
    .option('--output <dir>', 'folder of deviation.json, deviation.md and figure 4', 'runs/deviation')
    .action(async (runs: string[], options: DeviationCommandOptions) => {
      const { deviationCommand } = await import('./deviation.js');
      await deviationCommand(runs, options, terminal);
    });
}

/** Adds `mimlab figure 1`, `4`, `5`, `6` and `7`. */
export function addFigures(command: Command, { collect, count, seed }: OptionReaders, terminal: Terminal): void {
  const figure = (number: number, about: string, example: string): Command =>
    command
      .command(String(number))
      .description(about)
      .option('--output <dir>', `folder of figure-${number}.vl.json, .svg and .png`, 'figures')
      .addHelpText('after', `\nExample:\n  $ mimlab figure ${number} ${example}`);

  figure(1, 'Accuracy against throwing ratio, area = cost of a forward pass.', 'table2.json --output docs/figures')
    .argument('<results>', `what 'mimlab table t2 --format json' prints; with published numbers alone these are drawn`)
    .option('--title <text>', 'data and schedule of what was measured')
    .action(async (results: string, options: { title?: string; output: string }) => {
      const { figure1 } = await import('./figure.js');
      await figure1(results, options, terminal);
    });

  figure(4, 'Gradient deviation against throwing ratio.', 'runs/deviation/deviation.json')
    .argument('<file>', `deviation.json of 'mimlab deviation'`)
    .option('--methods <list>', 'RECONSTRUCTION:SAMPLER to draw, as partial:random,progressive:furthest (default: all)')
    .action(async (file: string, options: { methods?: string; output: string }) => {
      const { figure4 } = await import('./figure.js');
      await figure4(file, options, terminal);
    });

  figure(5, 'Random and furthest sampling on one and the same mask.', 'mae/vit-b16-in1k-pr50 --seed 3')
    .argument('[config]', 'configuration file or name of a preset', 'mae/vit-b16-in1k-pr50')
    .addOption(new Option('--set <key=value>', 'override a key of the configuration; may be given again').argParser(collect).default([], 'none'))
    .option('--seed <n>', 'seed of mask and choices', seed, 0)
    .action(async (config: string, options: { set: string[]; seed: number; output: string }) => {
      const { figure5 } = await import('./figure.js');
      await figure5(config, options, terminal);
    });

  figure(6, 'Accuracy against the number of blocks that were fine-tuned.', 'partial-fine-tuning.json')
    .argument('<file>', 'JSON: {"title"?, "rows": [{"series", "blocks", "accuracy": {"mean", "spread"?}}]}, accuracies in percent')
    .action(async (file: string, options: { output: string }) => {
      const { figure6 } = await import('./figure.js');
      await figure6(file, options, terminal);
    });

  figure(7, 'Reconstructions of the same masked images by several runs.', 'runs/full runs/pr50 --names full,PR-MIM --image cat.png')
    .argument('<runs...>', 'folders of runs of one method and mask ratio')
    .addOption(new Option('--image <file>', 'image to reconstruct; may be given again').argParser(collect).default([], 'the first test images').conflicts('count'))
    .option('--count <n>', 'test images to draw where no image is given', count, 4)
    .option('--names <list>', 'what the runs are called, with commas between (default: their folders)')
    .option('--seed <n>', 'seed of the masks', seed, 0)
    .addOption(new Option('--statistics <source>', 'mean and deviation for patch-normalised predictions: guessed from visible patches, or (oracle) those of the hidden patches').choices(STATISTICS).default('visible'))
    .action(async (runs: string[], options: PicturesOptions) => {
      const { figure7 } = await import('./figure.js');
      await figure7(runs, options, terminal);
    });
}
