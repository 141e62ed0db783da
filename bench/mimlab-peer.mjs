// The training step of one configuration, as `mimlab pretrain` runs it, timed on request. Speaks the protocol of
// peer-process.mjs; requests are { steps: n }, { loaded: n }, { loader: batches }, { profile: true }
// and { cost: true }.
// Usage: mimlab-peer.mjs JSON with preset, set, threads, precision, warmup (needs a build)
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { countCost, loadRunContext } from '@mimlab/cli';
import { pluginModules } from '@mimlab/core';
import { createLoader, augmentSpec, datasetRef, imageSpec } from '@mimlab/data';
import { createEngine, profileStep, residentPeak, resetResidentPeak } from '@mimlab/engine';
import { hookRandomness, parameterState, pretrainStep, stepKey } from '@mimlab/train';
import { syntheticBatch } from './synthetic-batch.mjs';

const answer = (report) => process.stdout.write(`${JSON.stringify(report)}\n`);
const { preset, set, threads, precision, warmup } = JSON.parse(process.argv[2]);
const context = await loadRunContext(preset, set).catch((error) => {
  // Some combinations make no sense, such as throwing more than is masked: the bench reports them and goes on.
  answer({ failed: error.message });
  process.exit(0);
});
const { objective, composition, compositionRef, config } = context;
const { batch } = config.train;
const statistics = { mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] };
const now = () => performance.now() / 1000;

const openLoader = () =>
  createLoader({
    data: datasetRef(config.data, 'train'), image: imageSpec(config.data), augment: augmentSpec(config.data), batch, seed: config.seed,
    workers: config.data.workers, prefetch: config.data.prefetch, shuffle: true, plans: compositionRef, grid: objective.grid,
  }); // prettier-ignore

/** Batches without end, from one epoch to the next. */
async function* batches(loader) {
  for (let epoch = 0; ; epoch++) yield* loader.epoch(epoch);
}

const fixed = syntheticBatch(objective, batch);
const began = now();
const engine = await createEngine({ ...config.engine, kind: 'graph', precision, threads });
await engine.define(parameterState(objective.params(), 0));
const defined = now();
let update = 0;
const nextRun = (inputs) => {
  update += 1;
  return [{ ...inputs, ...hookRandomness(objective, batch, 0, update, 0) }, { lr: 1e-4, update }];
};

// The promise of the first run is there once the step is traced and lowered, or read from the cache by its key.
const tracedFrom = now();
const step = engine.compile(pretrainStep(objective, statistics, config.train, stepKey(config, statistics, pluginModules(compositionRef))));
const first = step.run(...nextRun(fixed));
const traced = now();
await first;
const compile = { defineSeconds: defined - began, traceSeconds: traced - tracedFrom, firstStepSeconds: now() - traced };

async function steps(count) {
  const seconds = [];
  let loss;
  for (let i = 0; i < count; i++) {
    const start = now();
    ({ metrics: { loss } } = await step.run(...nextRun(fixed)));
    seconds.push(now() - start);
  }
  return { seconds, loss, residentBytes: residentPeak() };
}

let feed;
/** Steps on batches of the loader; the time of a step runs from the end of the one before, waiting included. */
async function loaded(count) {
  feed ??= batches(await openLoader());
  const seconds = [];
  let last = now();
  for (let i = 0; i < count; i++) {
    const { value: made } = await feed.next();
    await step.run(...nextRun(made.inputs));
    made.release();
    seconds.push(now() - last);
    last = now();
  }
  // The loader makes its queue full again, so that steps without it are timed while it rests.
  await pause(300);
  return { seconds };
}

/** The loader alone, as fast as it makes batches; the first ones find its workers cold. */
async function throughput(count) {
  const loader = await openLoader();
  const made = batches(loader);
  const take = async (n) => {
    for (let i = 0; i < n; i++) (await made.next()).value.release();
  };
  await take(config.data.prefetch + 2);
  loader.timings();
  const start = now();
  await take(count);
  const elapsed = now() - start;
  const ofWorkers = Object.entries(loader.timings()).filter(([stage]) => stage !== 'wait');
  await made.return();
  await loader.close();
  return { imagesPerSecond: (count * batch) / elapsed, secondsPerImage: Object.fromEntries(ofWorkers.map(([stage, spent]) => [stage, spent / count / batch])) };
}

async function profile() {
  const { profile: recorded } = await profileStep(step, ...nextRun(fixed));
  return { stepBytes: recorded.peakBytes, operations: recorded.operations };
}

/** Forward multiply-accumulates of one image as traced; `fixed` are those of a teacher. */
function cost() {
  const { parts, total } = countCost(composition, 'executed');
  return { macs: { forward: total, fixed: parts.target ?? 0 }, counts: objective.sampler.counts(objective.grid) };
}

async function answerTo(request) {
  if ('steps' in request) return steps(request.steps);
  if ('loaded' in request) return loaded(request.loaded);
  if ('loader' in request) return throughput(request.loader);
  if ('cost' in request) return cost();
  return profile();
}

await steps(warmup - 1);
resetResidentPeak();
answer({ ready: true, version: engine.description, compile });
for await (const line of createInterface({ input: process.stdin })) answer(await answerTo(JSON.parse(line)));
engine.dispose();
