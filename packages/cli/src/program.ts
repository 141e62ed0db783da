import { readFileSync } from 'node:fs';
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import type { CorruptCommandOptions } from './commands/corrupt.js';
import type { EvaluateCommandOptions } from './commands/evaluate.js';
import type { ReportCommandOptions } from './commands/report.js';
import { addDeviation, addFigures } from './commands/figure-program.js';
import type { SweepCommandOptions } from './commands/sweep.js';
import type { TableCommandOptions } from './commands/table.js';
import { COUNTS, type Count } from './cost/count-cost.js';
import { STATISTICS, type Statistics } from './pictures/predict-pixels.js';
import { SWEEP_FORMATS } from './sweep/sweep-table.js';
import { TABLE_FORMATS } from './table/format-names.js';
import type { Terminal } from './terminal.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** NaN unless it is a whole number that is kept exactly; an empty text is none. */
function wholeNumber(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  return Number.isSafeInteger(value) ? value : NaN;
}

function count(text: string): number {
  const value = wholeNumber(text);
  if (!(value >= 1)) throw new InvalidArgumentError('A whole number from 1 up is expected.');
  return value;
}

function seed(text: string): number {
  const value = wholeNumber(text);
  if (!(value >= 0)) throw new InvalidArgumentError('A whole number from 0 up is expected.');
  return value;
}

const setOption = (): Option => new Option('--set <key=value>', 'override a key of the configuration; may be given again').argParser(collect).default([], 'none');

const storeOption = (): Option => new Option('--store <dir>', 'folder of all runs of grids').default('runs/store');
const processesOption = (): Option => new Option('--processes <n>', 'runs at once').argParser(count).default(1);
const threadsOption = (): Option => new Option('--threads <n>', 'threads of each process (default: those of the machine, shared out)').argParser(count);

/**
 * The command line. Commands are imported when they run: `--help`, and commands that need no engine, stay quick.
 * Throws CommanderError instead of ending the process.
 */
export function createProgram(terminal: Terminal): Command {
  const program = new Command('mimlab')
    .description('Masked image modelling on TensorFlow: pre-train, evaluate, look at reconstructions, count costs.')
    .version(version)
    .option('--verbose', 'say where an unexpected error happened')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => {
        terminal.out(text.trimEnd());
      },
      writeErr: (text) => {
        terminal.note(text.trimEnd());
      },
    })
    .exitOverride()
    .showHelpAfterError(`(mimlab --help lists commands and options)`);

  const command = (usage: string, about: string, example: string): Command =>
    program.command(usage).description(about).addHelpText('after', `\nExample:\n  $ mimlab ${example}`);

  command('pretrain', 'Pre-train what a configuration says, or go on with a run.', 'pretrain mae/mnist-quickstart --set train.epochs=5 --output runs/first')
    .argument('[config]', 'configuration file or name of a preset; may be left out with --resume')
    .addOption(setOption())
    .option('--resume <run>', 'go on with the run in this folder')
    .option('--output <dir>', 'folder of the new run (default: runs/NAME)')
    .action(async (config: string | undefined, options: { set: string[]; resume?: string; output?: string }) => {
      const { pretrainCommand } = await import('./commands/pretrain.js');
      await pretrainCommand(config, options, terminal);
    });

  command('reconstruct', 'Draw original, visible patches, token map and reconstruction.', 'reconstruct runs/first digit.png --statistics visible')
    .argument('<run>', 'folder of a run')
    .argument('[images...]', 'image files (default: the first test images)')
    .addOption(new Option('--statistics <source>', 'mean and deviation for patch-normalised predictions: guessed from visible patches, or (oracle) those of the hidden patches').choices(STATISTICS).default('visible'))
    .option('--count <n>', 'test images to draw', count, 8)
    .option('--seed <n>', 'seed of the masks', seed, 0)
    .option('--weights <file>', 'weights to use instead of the newest checkpoint')
    .option('--output <file>', 'PNG file (default: RUN/reconstructions.png)')
    .action(async (run: string, images: string[], options: { statistics: Statistics; count: number; seed: number; weights?: string; output?: string }, self: Command) => {
      if (images.length > 0 && self.getOptionValueSource('count') === 'cli') self.error(`error: option '--count <n>' counts test images, it cannot be used with images of your own`);
      const { reconstruct } = await import('./commands/reconstruct.js');
      await reconstruct(run, images, options, terminal);
    });

  command('evaluate', 'Judge an encoder: knn, linear, partial, finetune; or a fine-tuned model: classify, robustness. Goes on where it was interrupted.', 'evaluate runs/first --protocol linear --data cifar10:data/cifar10 --set epochs=20')
    .argument('<model>', 'folder of a run, of a checkpoint or of a fine-tuning; or a weight file (then also --config)')
    .requiredOption('--protocol <name>', 'knn, linear, partial, finetune, classify, robustness, or the path of a module with one of your own')
    .option('--data <set>', 'KIND:PATH, as cifar10:data/cifar10, or an image folder (default: the data of the model)')
    .addOption(setOption())
    .option('--labels <budget>', 'labelled images that may be used: all, a share of each class as 1%, or a number a class', 'all')
    .option('--seed <n>', 'seed of everything random', seed, 0)
    .option('--config <config>', 'configuration or preset that a weight file belongs to')
    .option('--untrained', 'the encoder as it starts; <model> may then be a configuration')
    .option('--no-leak-check', 'do not look for test images among the training images')
    .option('--output <dir>', 'folder of results (default: evaluations/NAME beside the model)')
    .action(async (model: string, options: EvaluateCommandOptions) => {
      const { evaluateCommand } = await import('./commands/evaluate.js');
      await evaluateCommand(model, options, terminal);
    });

  command('sweep', 'Pre-train and evaluate every combination that a file asks for, and print one table. What is done is kept and found again; the same command goes on where it stopped.', 'sweep sweeps/throwing.yaml --processes 2 --format markdown')
    .argument('<file>', `YAML file with a section 'sweep'`)
    .addOption(setOption())
    .addOption(storeOption())
    .addOption(processesOption())
    .addOption(threadsOption())
    .addOption(new Option('--format <format>', 'how the results are written').choices(SWEEP_FORMATS).default('terminal'))
    .option('--output <file>', 'write the results to a file')
    .action(async (file: string, options: SweepCommandOptions) => {
      const { sweepCommand } = await import('./commands/sweep.js');
      await sweepCommand(file, options, terminal);
    });

  command('report', 'Write one HTML page about runs: curves, reconstructions over training time, sampler, evaluations, configuration.', 'report runs/first runs/second --output report.html')
    .argument('<runs...>', 'folders of runs')
    .option('--output <file>', 'HTML file (default: RUN/report.html for one run, report.html for several)')
    .option('--images <n>', 'test images to draw', count, 8)
    .addOption(new Option('--no-pictures', 'no reconstructions and no attention: needs neither data nor engine').conflicts('images'))
    .action(async (runs: string[], options: ReportCommandOptions) => {
      const { reportCommand } = await import('./commands/report.js');
      await reportCommand(runs, options, terminal);
    });

  command('table', 'Print a table of the PR-MIM paper: published numbers, cost at full scale by computation, and what was measured.', 'table t2 --scale mnist --quick --processes 2 --format markdown')
    .argument('<id>', 'table 2 to 12, as t2')
    .option('--analytic', 'published and computed columns only, as without --scale')
    .option('--scale <scale>', `train and evaluate what is missing of the rows, at a small scale (cifar10, mnist, or the path of a scale file) or by the paper's own recipes on an image folder`)
    .option('--quick', 'the quick version of the scale, to see the machinery work')
    .option('--seeds <n>', 'seeds of every row', count, 1)
    .addOption(setOption())
    .addOption(storeOption())
    .addOption(processesOption())
    .addOption(threadsOption())
    .option('--no-cost', 'do not measure time and memory of steps')
    .option('--rows <list>', 'some rows: t2-01,t2-05..t2-09 (default: all)')
    .addOption(new Option('--format <format>', 'how the table is written').choices(TABLE_FORMATS).default('terminal'))
    .option('--output <file>', 'write it to a file')
    .action(async (id: string, options: TableCommandOptions) => {
      const { tableCommand } = await import('./commands/table.js');
      await tableCommand(id, options, terminal);
    });

  command('corrupt', 'Write copies of the images in a folder under the fifteen common corruptions of ImageNet-C, to measure robustness on data of your own.', 'corrupt data/pets/test corrupted/pets --names gaussian_noise,fog --severities 1,3,5')
    .argument('<folder>', 'folder with images in it or below')
    .argument('<output>', 'folder of the results: NAME/SEVERITY/ and the tree of the images')
    .option('--names <list>', 'corruptions, with commas between (default: all)')
    .option('--severities <list>', 'some of 1 to 5, with commas between (default: all)')
    .option('--seed <n>', 'seed of everything random', seed, 0)
    .option('--size <n>', 'bring images to squares of this size first, as evaluation does: shorter side to size / 0.875, centre', count)
    .addOption(new Option('--parameters <set>', 'published for ImageNet (224 pixels) or for CIFAR (32 pixels)').choices(['imagenet', 'cifar']).default('imagenet'))
    .action(async (folder: string, output: string, options: CorruptCommandOptions) => {
      const { corruptCommand } = await import('./commands/corrupt.js');
      await corruptCommand(folder, output, options, terminal);
    });

  command('flops', 'Count multiply-accumulates of one image, by formula and by the recorded graph.', 'flops mae/vit-b16-in1k-pr50 --json')
    .argument('<config>', 'configuration file or name of a preset')
    .addOption(setOption())
    .option('--json', 'print JSON: total, unwrapped and parts in G MACs, ratio')
    .addOption(new Option('--count <which>', 'as the paper counts, or the graph that trains').choices(COUNTS).default('paper'))
    .addOption(new Option('--memory', `memory of a training step instead: counted from the recorded graph, by the paper's model, and measured`).conflicts('count'))
    .action(async (config: string, options: { set: string[]; json?: boolean; count: Count; memory?: boolean }) => {
      const { flops } = await import('./commands/flops.js');
      await flops(config, options, terminal);
    });

  const readers = { collect, count, seed };
  addDeviation(command('deviation', 'Measure how far the gradients of partial reconstruction and PR-MIM lie from those of full reconstruction, and draw figure 4.', 'deviation runs/full runs/partial50 runs/pr50 --output runs/deviation'), readers, terminal);
  addFigures(command('figure', 'Draw a figure of the PR-MIM paper as SVG and PNG, beside its Vega-Lite specification.', 'figure 5 --output figures'), readers, terminal);

  command('doctor', 'Say what this machine can run, what is missing and how to get it.', 'doctor')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { doctor } = await import('./commands/doctor.js');
      doctor(options, terminal);
    });

  command('schema', 'Print the JSON Schema of configurations, for completion and checks in editors.', 'schema --output mimlab.schema.json')
    .option('--output <file>', 'write it to a file')
    .action(async (options: { output?: string }) => {
      const { schema } = await import('./commands/schema.js');
      await schema(options, terminal);
    });

  command('plugins', 'List installed plugins with their hooks.', 'plugins')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { plugins } = await import('./commands/plugins.js');
      await plugins(options, terminal);
    });

  command('presets', 'List the configurations that ship with mimlab.', 'presets')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { presets } = await import('./commands/presets.js');
      presets(options, terminal);
    });

  command('new', 'Write the package of a new plugin: a small method that works, to change hook by hook.', 'new plugin my-method --output plugins/my-method')
    .addArgument(new Argument('<what>', 'what to write').choices(['plugin']))
    .argument('<name>', 'name of the plugin: lower case with dashes')
    .option('--output <dir>', 'folder of the package (default: mimlab-plugin-NAME)')
    .action(async (_what: string, name: string, options: { output?: string }) => {
      const { newPlugin } = await import('./commands/new-plugin.js');
      await newPlugin(name, options, terminal);
    });

  command('quickstart', 'Pre-train MAE + PR-MIM on MNIST, draw its reconstructions and measure its features.', 'quickstart --output runs/quickstart')
    .option('--output <dir>', 'folder of results (default: runs/quickstart)')
    .action(async (options: { output?: string }) => {
      const { quickstart } = await import('./quickstart/quickstart.js');
      await quickstart(options, terminal);
    });

  return program;
}
