import { sizeOfShape } from '@mimlab/core';
import { allFinite, ensure, shapeText, type Check } from '../check.js';
import { initialValues, objectiveOf } from '../subject.js';

/** Parameters are declared before anything runs; engines, checkpoints and optimizers rely on the declaration alone. */
export const parameterChecks: readonly Check[] = [
  {
    name: 'its parameters start finite, with as many values as their shapes say',
    run(examined) {
      const objective = objectiveOf(examined);
      const specs = objective.params();
      ensure(Object.values(specs).some(({ trainable }) => trainable), () => 'there is no trainable parameter');
      for (const [name, { data, shape }] of Object.entries(initialValues(objective, examined.settings.seed))) {
        ensure(data.length === sizeOfShape(shape), () => `${name}: shape ${shapeText(shape)} has ${sizeOfShape(shape)} values, init gave ${data.length}`);
        ensure(allFinite(data), () => `${name}: its initial value is not finite`);
      }
    },
  },
  {
    name: 'its parameters start the same for one seed and differ between seeds',
    run(examined) {
      const objective = objectiveOf(examined);
      const { seed } = examined.settings;
      const first = initialValues(objective, seed);
      const second = initialValues(objectiveOf(examined), seed);
      const other = initialValues(objective, seed + 1);
      let moved = false;
      for (const [name, { data }] of Object.entries(first)) {
        ensure(data.every((value, i) => Object.is(value, second[name]?.data[i])), () => `${name}: two inits from one seed differ; draw from the stream that init is given`);
        moved ||= data.some((value, i) => value !== other[name]?.data[i]);
      }
      ensure(moved, () => 'the seed changes no parameter; draw from the stream that init is given');
    },
  },
];
