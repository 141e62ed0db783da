import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { configHash } from '@mimlab/train';
import type { MimlabConfig, RunContext } from '../run/run-context.js';
import type { EvaluationPlan, Experiment } from './experiment.js';

/** One command of `mimlab` with a folder of its own. A folder that is finished is not asked for again. */
export interface Job {
  /** The folder: two experiments that need the same thing share the job. */
  readonly folder: string;
  /** `pretrain`, or the protocol: jobs of one kind take about as long as each other. */
  readonly kind: string;
  /** What the progress line and the log call it. */
  readonly title: string;
  /** Name of its log, no other job's. */
  readonly log: string;
  /** Folder of the job that must be finished first. */
  readonly after?: string;
  /** Resolved configuration of the encoder, written before the job starts. */
  readonly config: { readonly file: string; readonly text: string };
  /** Arguments of the command for a folder that is new, or holds a part of the work. */
  arguments(resume: boolean): readonly string[];
}

/** An experiment with its jobs. */
export interface PlannedExperiment {
  readonly experiment: Experiment;
  readonly context: RunContext;
  /** Of the run; for an encoder as it starts, of its configuration. */
  readonly folder: string;
  readonly pretrain?: Job;
  readonly evaluations: readonly { readonly plan: EvaluationPlan; readonly job: Job }[];
}

const shortHash = (value: unknown, length: number): string => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, length);

const ANY_DATA: readonly MimlabConfig['data']['dataset'][] = ['imagefolder', 'parquet', 'inaturalist'];

/** `mae-throw50-furthest-progressive`, as far as the wrapper says such things. */
function describe({ method, wrap }: MimlabConfig): string {
  const words = wrap.flatMap(({ plugin, throw: share, sampling, reconstruction }: Record<string, unknown>) => [
    typeof share === 'number' ? `throw${Math.round(100 * share)}` : basename(String(plugin)),
    ...[sampling, reconstruction].filter((word) => typeof word === 'string'),
  ]);
  return [basename(method.plugin), ...words].join('-');
}

/**
 * Name of a run's folder: words for people, and a hash over everything that decides the weights. The same experiment finds
 * the same folder again, wherever its data lie.
 */
export function runName(config: MimlabConfig): string {
  // Kinds that stand for any data set are told apart by the name of their folder.
  const { dataset, path } = config.data;
  const data = path !== undefined && ANY_DATA.includes(dataset) ? basename(path) : '';
  return `${describe(config)}-seed${config.seed}-${shortHash([configHash(config), data], 10)}`;
}

/** The jobs of an experiment in a store. Nothing is written. @param threads of each process */
export function planExperiment(experiment: Experiment, context: RunContext, store: string, threads: number): PlannedExperiment {
  const name = runName(context.config);
  const folder = join(store, experiment.pretrain ? 'runs' : 'untrained', name);
  // Evaluation reads the configuration of an untrained encoder from its folder; a run writes its own there.
  const config = { file: experiment.pretrain ? join(store, 'configs', `${name}.yaml`) : join(folder, 'config.yaml'), text: context.loaded.format() };
  const pretrain: Job | undefined = experiment.pretrain
    ? {
        folder,
        kind: 'pretrain',
        title: `${experiment.id}: pretrain`,
        log: `${name}.log`,
        config,
        ...(experiment.after === undefined ? {} : { after: experiment.after }),
        arguments: (resume) => ['pretrain', ...(resume ? ['--resume', folder] : [config.file, '--output', folder]), '--set', `engine.threads=${threads}`],
      }
    : undefined;
  const evaluations = experiment.evaluations.map((plan) => ({ plan, job: evaluationJob(experiment, plan, folder, config, threads) }));
  return { experiment, context, folder, ...(pretrain === undefined ? {} : { pretrain }), evaluations };
}

function evaluationJob({ id, pretrain }: Experiment, plan: EvaluationPlan, model: string, config: Job['config'], threads: number): Job {
  const { protocol, labels, seed, data, set } = plan;
  const folder = join(model, 'evaluations', `${basename(protocol).replace(/\.\w+$/, '')}-seed${seed}-${shortHash([protocol, labels, data ?? null, [...set].sort()], 8)}`);
  const settings = [...set, `engine.threads=${threads}`].flatMap((setting) => ['--set', setting]);
  const command = ['evaluate', model, '--protocol', protocol, '--labels', labels, '--seed', String(seed), '--output', folder, '--no-leak-check'];
  return {
    folder,
    kind: protocol,
    title: `${id}: ${plan.name}`,
    log: `${basename(folder)}-of-${pretrain ? '' : 'untrained-'}${basename(model)}.log`,
    config,
    ...(pretrain ? { after: model } : {}),
    arguments: () => [...command, ...(pretrain ? [] : ['--untrained']), ...(data === undefined ? [] : ['--data', data]), ...settings],
  };
}

/** Every job once, in the order of need: each behind the one it comes after. */
export function jobsOf(planned: readonly PlannedExperiment[]): Job[] {
  const jobs = new Map<string, Job>();
  for (const { pretrain, evaluations } of planned) {
    for (const job of [...(pretrain === undefined ? [] : [pretrain]), ...evaluations.map(({ job: one }) => one)]) if (!jobs.has(job.folder)) jobs.set(job.folder, job);
  }
  return [...jobs.values()];
}
