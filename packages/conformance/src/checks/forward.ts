import { cellsOf, type FeatureSpec, type Grid, type PlanTensors, type StepContext } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import { allFinite, ensure, relativeDifference, sameShape, shapeText, type Check } from '../check.js';
import { asObjectiveBatch, eagerly, initialValues, invertHidden, makeBatch, objectiveOf, toTensors, useCpu } from '../subject.js';

function cellsCount(cells: FeatureSpec['cells'] | 'retained', { counts, grid }: PlanTensors, own: Grid = grid): number {
  const { visible, retained } = counts;
  return { visible, retained, known: visible + retained, grid: cellsOf(own) }[cells];
}

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
  {
    name: 'no hidden pixel reaches its features or its predictions',
    run: async (examined) => {
      const objective = objectiveOf(examined);
      await useCpu();
      const seen = makeBatch(objective, examined);
      const altered = makeBatch(objective, examined, (pixels, plan) => {
        invertHidden(objective, pixels, plan);
      });
      tf.tidy(() => {
        const params = toTensors(initialValues(objective, examined.settings.seed));
        const [before, after] = [seen, altered].map(({ inputs }) => objective.evaluate(asObjectiveBatch(toTensors(inputs), objective, examined), params, false));
        for (const [name, feature] of Object.entries(before?.features ?? {})) {
          const changed = relativeDifference(feature.dataSync(), after?.features[name]?.dataSync() ?? []);
          ensure(changed === 0, () => `feature '${name}' changes by ${changed.toExponential(1)} when only hidden pixels change: the encoder sees what it is to be asked`);
        }
        for (const [branch, prediction] of Object.entries(before?.predictions ?? {})) {
          for (const [name, values] of Object.entries(prediction.values)) {
            const changed = relativeDifference(values.dataSync(), after?.predictions[branch]?.values[name]?.dataSync() ?? []);
            ensure(changed === 0, () => `prediction '${branch}.${name}' changes by ${changed.toExponential(1)} when only hidden pixels change`);
          }
        }
      });
    },
  },
];

const names = (table: object): string => `[${Object.keys(table).sort().join(', ')}]`;
const sameNames = (a: object, b: object): boolean => names(a) === names(b);
