import { beforeAll, describe, expect, it } from 'vitest';
import { loadRunContext, type RunContext } from '../run/run-context.js';
import type { Experiment } from './experiment.js';
import { jobsOf, planExperiment, runName } from './plan-jobs.js';

const experiment: Experiment = {
  id: 'row',
  config: 'mae/mnist-quickstart',
  set: [],
  pretrain: true,
  evaluations: [{ name: 'near', protocol: 'knn', labels: '10', seed: 3, set: ['k=5'] }],
};

describe('the jobs of an experiment', () => {
  let context: RunContext;
  beforeAll(async () => {
    context = await loadRunContext('mae/mnist-quickstart');
  });
  const named = async (...set: string[]): Promise<string> => runName((await loadRunContext('mae/mnist-quickstart', set)).config);

  it('are a run and its evaluations, which come after it', () => {
    const { pretrain, evaluations } = planExperiment(experiment, context, '/store', 1);
    expect(pretrain?.arguments(false)).toEqual(['pretrain', pretrain?.config.file, '--output', pretrain?.folder, '--set', 'engine.threads=1']);
    expect(pretrain?.arguments(true)).toEqual(['pretrain', '--resume', pretrain?.folder, '--set', 'engine.threads=1']);
    expect(evaluations[0]?.job.after).toBe(pretrain?.folder);
    const words = evaluations[0]?.job.arguments(false).join(' ');
    expect(words).toContain(`evaluate ${pretrain?.folder} --protocol knn --labels 10 --seed 3`);
    expect(words).toContain('--set k=5 --set engine.threads=1');
    expect(words).not.toContain('--untrained');
  });

  it('are evaluations alone for an encoder as it starts', () => {
    const { pretrain, folder, evaluations } = planExperiment({ ...experiment, pretrain: false }, context, '/store', 1);
    expect(pretrain).toBeUndefined();
    expect(folder).toContain('/store/untrained/');
    expect(evaluations[0]?.job.after).toBeUndefined();
    expect(evaluations[0]?.job.arguments(false)).toContain('--untrained');
    expect(evaluations[0]?.job.config.file).toBe(`${folder}/config.yaml`);
  });

  it('have logs of their own, encoders as they start included', async () => {
    const other = await loadRunContext('mae/mnist-quickstart', ['seed=1']);
    const all = [context, other].flatMap((one) => [true, false].map((pretrain) => planExperiment({ ...experiment, pretrain }, one, '/store', 1)));
    const logs = jobsOf(all).map(({ log }) => log);
    expect(logs).toHaveLength(6);
    expect(new Set(logs).size).toBe(6);
    expect(logs[0]).toBe(`${runName(context.config)}.log`);
    expect(logs[1]).toMatch(/^knn-seed3-[0-9a-f]{8}-of-mae-throw50-/);
  });

  it('are told the data of an evaluation where it has its own', () => {
    const own = { ...experiment, evaluations: [{ name: 'near', protocol: 'knn', labels: '10', seed: 3, data: 'cifar10:/there', set: [] }] };
    const job = planExperiment(own, context, '/store', 1).evaluations[0]?.job;
    expect(job?.arguments(false).join(' ')).toContain('--data cifar10:/there');
    expect(job?.folder).not.toBe(planExperiment({ ...experiment, evaluations: [{ name: 'near', protocol: 'knn', labels: '10', seed: 3, set: [] }] }, context, '/store', 1).evaluations[0]?.job.folder);
  });

  it('name the folder of a protocol of the user by its file', () => {
    const own = { ...experiment, evaluations: [{ name: 'own', protocol: './protocols/probe.js', labels: 'all', seed: 0, set: [] }] };
    expect(planExperiment(own, context, '/store', 1).evaluations[0]?.job.folder).toMatch(/\/evaluations\/probe-seed0-[0-9a-f]{8}$/);
  });

  it('name a run by its method alone where nothing wraps it, and by wrappers that throw nothing', async () => {
    expect(await named('wrap=[]')).toMatch(/^mae-seed0-[0-9a-f]{10}$/);
    const config = { ...context.config, wrap: [{ plugin: './own/wrapper' }] } as typeof context.config;
    expect(runName(config)).toMatch(/^mae-wrapper-seed0-/);
  });

  it('wait for the run that they read', () => {
    expect(planExperiment({ ...experiment, after: '/store/runs/teacher' }, context, '/store', 1).pretrain?.after).toBe('/store/runs/teacher');
  });

  it('are shared by experiments that need the same', () => {
    const one = planExperiment(experiment, context, '/store', 1);
    const two = planExperiment({ ...experiment, id: 'other', evaluations: [...experiment.evaluations, { name: 'lin', protocol: 'linear', labels: '10', seed: 3, set: [] }] }, context, '/store', 1);
    expect(jobsOf([one, two]).map(({ title }) => title)).toEqual(['row: pretrain', 'row: near', 'other: lin']);
  });

  it('keep evaluations with other settings apart', () => {
    const folders = [['k=5'], ['k=6'], ['k=5', 'temperature=0.1'], ['temperature=0.1', 'k=5']].map(
      (set) => planExperiment({ ...experiment, evaluations: [{ name: 'near', protocol: 'knn', labels: '10', seed: 3, set }] }, context, '/store', 1).evaluations[0]?.job.folder,
    );
    expect(new Set(folders).size).toBe(3);
    expect(folders[2]).toBe(folders[3]);
  });

  it('find the same run under the same configuration, wherever data lie and however fast it goes', async () => {
    const name = runName(context.config);
    expect(name).toMatch(/^mae-throw50-furthest-progressive-seed0-[0-9a-f]{10}$/);
    expect(await named('engine.threads=2', 'data.workers=0', 'output=elsewhere')).toBe(name);
    expect(await named('seed=1')).not.toBe(name);
    expect(await named('train.epochs=5')).not.toBe(name);
    const folders = await Promise.all(['a/cifar', 'b/cifar', 'b/other'].map((path) => named('data.dataset=imagefolder', `data.path=${path}`, 'data.size=28', 'data.channels=1')));
    expect(folders[0]).toBe(folders[1]);
    expect(folders[1]).not.toBe(folders[2]);
  });
});
