import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadWeights, saveWeights } from '@mimlab/core';
import { ensure, type Check } from '../check.js';
import { initialValues, objectiveOf } from '../subject.js';

/** Files hold official names and layouts; a layout that is declared wrongly shows here. */
export const storageChecks: readonly Check[] = [
  {
    name: 'its parameters come back from a safetensors file bit for bit',
    async run(examined) {
      const specs = objectiveOf(examined).params();
      const values = initialValues(objectiveOf(examined), examined.settings.seed);
      const folder = await mkdtemp(join(tmpdir(), 'mimlab-conformance-'));
      try {
        const path = join(folder, 'model.safetensors');
        await saveWeights(path, values, specs);
        const loaded = await loadWeights(path, specs);
        for (const [name, { data }] of Object.entries(values)) {
          const back = loaded.values[name]?.data;
          ensure(back !== undefined && data.every((value, i) => Object.is(value, back[i])), () => `${name} differs after saving and loading`);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  },
];
