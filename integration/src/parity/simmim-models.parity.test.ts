import { describe } from 'vitest';
import { engines } from './engines.js';
import { describeGolden, loadGolden } from './golden-cases.js';
import { describeSimMim } from './simmim-checks.js';

const available = engines();

describeGolden('simmim-vit', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    for (const engine of available) {
      describe.each(['visible', 'all'])(`on the ${engine.name} engine, embedding %s patches`, (embedPatches) => {
        describeSimMim(golden, engine, { embedPatches });
      });
    }
    describe(`on the ${available[0]?.name} engine, cut behind the final norm`, () => {
      describeSimMim(golden, available[0] as (typeof available)[number], { aggregatePosition: 'after-norm' });
    });
  });
});

describeGolden('simmim-swin', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    describe.each(available)('on the $name engine', (engine) => {
      describeSimMim(golden, engine);
    });
  });
});
