import { describe } from 'vitest';
import { engines } from './engines.js';
import { describeGolden, loadGolden } from './golden-cases.js';
import { describeMaeStep } from './mae-step-checks.js';
import { describeMaeTrajectory } from './mae-trajectory-checks.js';

const available = engines();

describeGolden('mae', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const golden = await loadGolden(file);
    const method = golden.metadata['method'];
    describe.each(available)('on the $name engine', (engine) => {
      if (method === 'mae') describeMaeStep(golden, engine);
      else if (method === 'mae-trajectory') describeMaeTrajectory(golden, engine);
      else throw new Error(`${file.path}: a case of method '${method}', expected 'mae' or 'mae-trajectory'`);
    });
  });
});
