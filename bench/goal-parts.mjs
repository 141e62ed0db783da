// The measurements of `--goals`. What needs the built packages is imported when it is measured.
import { compare } from './compare.mjs';
import { measureGrowth } from './growth.mjs';

const besidePytorch = (caseName, precision) => async (results, tools) => {
  results.comparisons.push(await compare({ method: 'mae', caseName, precision, gammas: [0], pytorch: tools.pytorch }, tools));
};
const halfThrown = (method) => async (results, tools) => {
  results.comparisons.push(await compare({ method, caseName: 'vit-b16', precision: 'fp32', gammas: [0, 0.5] }, tools));
};

async function loader(results, tools) {
  const { measureLoaded, measureSampling } = await import('./loading.mjs');
  results.sampling = await measureSampling(tools);
  results.loading = [await measureLoaded('small', tools), await measureLoaded('vit-b16', tools)];
}

async function growth(results, tools) {
  results.growth = await measureGrowth(tools);
}

/** By name of the part: minutes on an idle machine, at most, and the measurement, which adds to the results. */
export const PARTS = {
  'small-fp32': { minutes: 3, measure: besidePytorch('small', 'fp32') },
  'vit-b16-fp32': { minutes: 4.5, measure: besidePytorch('vit-b16', 'fp32') },
  'small-bf16': { minutes: 3, measure: besidePytorch('small', 'bf16') },
  'vit-b16-bf16': { minutes: 4.5, measure: besidePytorch('vit-b16', 'bf16') },
  'throw-mae': { minutes: 2, measure: halfThrown('mae') },
  'throw-simmim': { minutes: 2.5, measure: halfThrown('simmim') },
  loader: { minutes: 2.5, measure: loader },
  growth: { minutes: 3, measure: growth },
};
