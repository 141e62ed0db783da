import { describe } from 'vitest';
import { describeAmtSampling, describeAmtWeights, SamplingFile } from './amt-sampling-checks.js';
import { engines } from './engines.js';
import { describeGolden, loadGolden, loadJson } from './golden-cases.js';
import { describeMaeAmt } from './mae-amt-checks.js';
import { describeSimMimAmt } from './simmim-amt-checks.js';

const available = engines();

describeGolden('amt', /\.(json|safetensors)$/, (files) => {
  describe.each(files)('$name', async (file) => {
    if (file.path.endsWith('.json')) {
      describeAmtSampling(SamplingFile.parse(await loadJson(file.path)).cases);
      return;
    }
    const golden = await loadGolden(file);
    if ('input.cls_to_patch_attention' in golden.tensors) {
      describeAmtWeights(golden);
      return;
    }
    describe.each(available)('on the $name engine', (engine) => {
      if ('input.ids_shuffle' in golden.tensors) describeMaeAmt(golden, engine);
      else if ('input.mask_flag' in golden.tensors) describeSimMimAmt(golden, engine);
      else throw new Error(`${file.path}: no case of AMT that is known here`);
    });
  });
});
