import { cellsOf, type FeatureSpec, type Grid, type PlanTensors, type StepContext } from '@mimlab/core';
import type * as tf from '@tensorflow/tfjs-core';
import { allFinite, ensure, relativeDifference, sameShape, shapeText, type Check } from '../check.js';
import { asObjectiveBatch, eagerly, makeBatch, objectiveOf, toTensors } from '../subject.js';

function cellsCount(cells: FeatureSpec['cells'] | 'retained', { counts, grid }: PlanTensors, own: Grid = grid): number {
  const { visible, retained } = counts;
  return { visible, retained, known: visible + retained, grid: cellsOf(own) }[cells];
}

/** Both sides add the same numbers in another order. */
const SAME_LOSS = 1e-5;

const evaluating = (random: Readonly<Record<string, tf.Tensor>> | undefined): StepContext => ({ training: false, random: random ?? {} });

/** What hooks return is what they declare: other hooks are written against the declaration. */
export const forwardChecks: readonly Check[] = [
  {
    name: 'its encoder returns the features it declares',
    run: (examined) => {
      const objective = objectiveOf(examined);
      return eagerly(examined, objective, (batch, params) => {
        const { encoder } = objective;
        const features = encoder.encode(batch.images_BHWC, batch.plan, params, evaluating(batch.random));
        ensure(sameNames(encoder.features, features), () => `declared are ${names(encoder.features)}, returned ${names(features)}`);
        ensure(encoder.output in encoder.features, () => `output '${encoder.output}' is none of the features ${names(encoder.features)}`);
        for (const [name, { width, cells, cls, grid }] of Object.entries(encoder.features)) {
          const wanted = [batch.plan.batch, cellsCount(cells, batch.plan, grid) + (cls ? 1 : 0), width];
          const { shape } = features[name] as tf.Tensor;
          ensure(sameShape(shape, wanted), () => `feature '${name}' has shape ${shapeText(shape)}, declared is ${shapeText(wanted)}`);
        }
      });
    },
  },
  {
    name: 'its decoder returns the branches it declares, and predicts for the cells it was given',
    run: (examined) => {
      const objective = objectiveOf(examined);
      return eagerly(examined, objective, (batch, params) => {
        const { decoder, encoder, target } = objective;
        const { plan } = batch;
        const hookContext = evaluating(batch.random);
        const sets = decoder.decode(encoder.encode(batch.images_BHWC, plan, params, hookContext), plan, params, hookContext);
        const wishes = target.spec(objective.grid);
        for (const { name, width, cells, cls, grid } of decoder.branches) {
          const set = sets[name];
          ensure(set !== undefined, () => `branch '${name}' is declared, decode returns ${names(sets)}`);
          const wanted = [plan.batch, cellsCount(cells, plan, grid), width];
          ensure(set.cells === cells, () => `branch '${name}' declares cells '${cells}', its set has '${set.cells}'`);
          ensure(sameShape(set.tokens_BSd.shape, wanted), () => `branch '${name}': tokens have shape ${shapeText(set.tokens_BSd.shape)}, declared is ${shapeText(wanted)}`);
          ensure((set.cls_B1d !== undefined) === cls, () => `branch '${name}' declares ${cls ? 'a' : 'no'} class token and returns ${cls ? 'none' : 'one'}`);
          const wish = wishes[name];
          if (wish === undefined) continue;
          const prediction = decoder.predict(name, set, plan, params, hookContext);
          ensure(prediction.cells === set.cells || prediction.cells === 'grid', () => `branch '${name}': predict turns cells '${set.cells}' into '${prediction.cells}'`);
          if (wish.scale !== 1) continue;
          const fits = Object.values(prediction.values).some((values) => sameShape(values.shape, [plan.batch, cellsCount(cells, plan), wish.values]));
          ensure(fits, () => `branch '${name}': no prediction has shape ${shapeText([plan.batch, cellsCount(cells, plan), wish.values])} as the target asks`);
        }
      });
    },
  },
  {
    name: 'its branches name parameters that there are, and give mask token and positions of their own width',
    run: (examined) => {
      const objective = objectiveOf(examined);
      return eagerly(examined, objective, (_batch, params) => {
        for (const { name, width, cells, heads, normParams, headParams, maskToken, positions_Nd } of objective.decoder.branches) {
          const unknown = [...normParams, ...headParams].filter((param) => params[param] === undefined);
          ensure(unknown.length === 0, () => `branch '${name}' names ${unknown.join(', ')}, which is no parameter of the run`);
          ensure(Number.isInteger(width / heads), () => `branch '${name}': its width ${width} does not divide by its ${heads} heads`);
          // Only cells of branches with known tokens can be filled; a SimMIM puts its mask token in front of the encoder.
          if (cells === 'grid') continue;
          const token = maskToken?.(params);
          ensure(token === undefined || token.size === width, () => `branch '${name}': its mask token has ${token?.size} values, its width is ${width}`);
          const positions = positions_Nd?.(params).shape;
          const wanted = [cellsOf(objective.grid), width];
          ensure(positions === undefined || sameShape(positions, wanted), () => `branch '${name}': its positions have shape ${shapeText(positions ?? [])}, the grid wants ${shapeText(wanted)}`);
        }
      });
    },
  },
  {
    name: 'a head that it calls token-wise gives the same loss whether it gets the retained tokens alone or all',
    run: async (examined) => {
      const [alone, all] = await Promise.all((['retained', 'sequence'] as const).map((predictTokens) => {
        const objective = objectiveOf(examined, [], { predictTokens });
        return eagerly(examined, objective, (batch, params) => objective.evaluate(batch, params, false).loss.dataSync());
      }));
      const changed = relativeDifference(alone ?? [], all ?? []);
      ensure(changed < SAME_LOSS, () => `the loss is ${alone?.[0]} over the retained tokens alone and ${all?.[0]} over all: declare tokenwise: false`);
    },
  },
  {
    name: 'its targets stay the same whatever is hidden',
    run: async (examined) => {
      const objective = objectiveOf(examined);
      const other = { ...examined, settings: { ...examined.settings, seed: examined.settings.seed + 1 } };
      await eagerly(examined, objective, (batch, params) => {
        const elsewhere = asObjectiveBatch(toTensors(makeBatch(objective, other).inputs), objective, other);
        const targets = objective.target.targets(batch.images_BHWC, batch.plan, params, batch.host ?? {});
        const again = objective.target.targets(batch.images_BHWC, elsewhere.plan, params, batch.host ?? {});
        for (const [branch, tensors] of Object.entries(targets)) {
          for (const [name, tensor] of Object.entries(tensors)) {
            const data = tensor.dataSync();
            ensure(allFinite(data), () => `target '${branch}.${name}' is not finite`);
            const twin = again[branch]?.[name];
            ensure(twin !== undefined && relativeDifference(data, twin.dataSync()) === 0, () => `target '${branch}.${name}' depends on the plan; targets cover the grid in raster order`);
          }
        }
      });
    },
  },
  {
    name: 'its loss and the parts of its loss are finite numbers',
    run: (examined) => {
      const objective = objectiveOf(examined);
      return eagerly(examined, objective, (batch, params) => {
        const outcome = objective.evaluate(batch, params, true);
        for (const [name, value] of Object.entries({ loss: outcome.loss, ...outcome.parts })) {
          ensure(value.shape.length === 0, () => `${name} has shape ${shapeText(value.shape)}, a scalar is expected`);
          ensure(allFinite(value.dataSync()), () => `${name} is ${value.dataSync()[0]}`);
        }
      });
    },
  },
];

const names = (table: object): string => `[${Object.keys(table).sort().join(', ')}]`;
const sameNames = (a: object, b: object): boolean => names(a) === names(b);
