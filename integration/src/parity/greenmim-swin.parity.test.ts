import { describe } from 'vitest';
import { engines } from './engines.js';
import { describeGolden, loadGolden } from './golden-cases.js';
import { CaseConfig, greenRun } from './greenmim-case.js';
import { describeGreenMim } from './greenmim-checks.js';
import { describeTables } from './greenmim-tables.js';

const available = engines();
/** Cases of the corrected order hold results alone; parameters and inputs are those of the case without this ending. */
const FIXED = /-fixed-order$/;
const GROUPINGS = ['compact', 'released', 'searched'] as const;

describeGolden('greenmim-swin', /\.safetensors$/, (cases) => {
  describe.each(cases)('$name', async (file) => {
    const expected = await loadGolden(file);
    const fixed = FIXED.test(file.name);
    const source = fixed ? await loadGolden({ name: file.name.replace(FIXED, ''), path: file.path.replace('-fixed-order.', '.') }) : expected;
    const visibleOrder = fixed ? 'raster' : 'released';
    for (const engine of available) {
      describe.each(GROUPINGS)(`on the ${engine.name} engine, with %s groups`, (grouping) => {
        describeGreenMim(source, expected, engine, { visibleOrder, grouping, embedPatches: grouping === 'released' ? 'all' : 'visible' });
      });
    }
    if (fixed) return;
    describe('before the first block', () => {
      describeTables(expected, greenRun(CaseConfig.parse(JSON.parse(expected.metadata['config'] ?? '{}')), { visibleOrder, grouping: 'released', embedPatches: 'visible' }));
    });
  });
});
