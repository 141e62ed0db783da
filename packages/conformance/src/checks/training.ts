import type { HostTensor, Objective } from '@mimlab/core';
import { createEngine, findTensorflow, type Engine, type EngineOptions } from '@mimlab/engine';
import { parameterState, pretrainStep, TrainConfig } from '@mimlab/train';
import { ensure, relativeDifference, type Check, type Examined } from '../check.js';
import { makeBatch, objectiveOf } from '../subject.js';

const recipe = TrainConfig.parse({ batch: 2, epochs: 1, warmupEpochs: 0, weightDecay: 0 });
const PURE: EngineOptions = { kind: 'eager', precision: 'fp32', eagerBackend: 'cpu' };
/** Graph and eager execution add the same numbers in another order. */
const LOSS_TOLERANCE = 1e-4;
const STATE_TOLERANCE = 2e-3;

interface Trained {
  readonly losses: readonly number[];
  readonly gradNorms: readonly number[];
  readonly state: Readonly<Record<string, HostTensor>>;
}

/** Learns one batch by heart: `updates` updates from the initial parameters, always on the same inputs. */
async function trainOn(examined: Examined, objective: Objective, options: EngineOptions, updates: number, lr: number): Promise<Trained> {
  const { settings } = examined;
  const engine: Engine = await createEngine(options);
  try {
    const specs = objective.params();
    await engine.define(parameterState(specs, settings.seed));
    const step = engine.compile(pretrainStep(objective, settings.statistics, recipe));
    const { inputs } = makeBatch(objective, examined);
    const losses: number[] = [];
    const gradNorms: number[] = [];
    for (let update = 1; update <= updates; update++) {
      const { metrics } = await step.run(inputs, { lr, update });
      losses.push(metrics.loss as number);
      gradNorms.push(metrics.gradNorm as number);
    }
    const state = await engine.read(Object.keys(specs));
    step.dispose();
    return { losses, gradNorms, state };
  } finally {
    engine.dispose();
  }
}

const graphMissing = async (): Promise<string | undefined> => ((await findTensorflow()) === undefined ? 'libtensorflow is not installed: the graph engine cannot be compared' : undefined);

export const trainingChecks: readonly Check[] = [
  {
    name: 'a few updates on one batch lower its loss',
    async run(examined) {
      const { updates, lr } = examined.settings.training;
      const { losses } = await trainOn(examined, objectiveOf(examined), PURE, updates, lr);
      const [first, last] = [losses[0] as number, losses.at(-1) as number];
      ensure(last < first, () => `after ${updates} updates at ${lr} the loss went from ${first.toPrecision(4)} to ${last.toPrecision(4)}`);
    },
  },
  {
    name: 'frozen parameters stay as they are while it trains',
    async run(examined) {
      const objective = objectiveOf(examined);
      const before = await trainOn(examined, objective, PURE, 0, 0);
      const after = await trainOn(examined, objective, PURE, 2, examined.settings.training.lr);
      for (const [name, { trainable }] of Object.entries(objective.params())) {
        if (trainable) continue;
        const moved = relativeDifference((before.state[name] as HostTensor).data, (after.state[name] as HostTensor).data);
        ensure(moved === 0, () => `${name} is declared trainable: false and moved`);
      }
    },
  },
  {
    name: 'the compiled graph gives what eager execution gives',
    skip: graphMissing,
    async run(examined) {
      const objective = objectiveOf(examined);
      const eager = await trainOn(examined, objective, PURE, 3, 1e-3);
      const graph = await trainOn(examined, objective, { kind: 'graph', precision: 'fp32' }, 3, 1e-3);
      const losses = relativeDifference(eager.losses, graph.losses);
      ensure(losses < LOSS_TOLERANCE, () => `losses ${eager.losses.join(', ')} eagerly, ${graph.losses.join(', ')} compiled`);
      const norms = relativeDifference(eager.gradNorms, graph.gradNorms);
      ensure(norms < LOSS_TOLERANCE * 10, () => `gradient norms ${eager.gradNorms.join(', ')} eagerly, ${graph.gradNorms.join(', ')} compiled`);
      // Adam divides rounding noise by its own size: only parameters with a real gradient can agree.
      for (const name of Object.keys(eager.state).filter((key) => key.endsWith('.weight'))) {
        const differs = relativeDifference((eager.state[name] as HostTensor).data, (graph.state[name] as HostTensor).data);
        ensure(differs < STATE_TOLERANCE, () => `${name} differs by ${differs.toExponential(1)} after 3 updates`);
      }
    },
  },
];
