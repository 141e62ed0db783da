import { extractFeatures, type Features, type Pool } from '../features.js';
import { stopIfAsked, type EvaluationContext } from '../protocol/protocol.js';
import { ensureEncoder } from './define-state.js';

export interface FrozenOptions {
  readonly pool: Pool;
  /** Images encoded at once. */
  readonly batch: number;
}

/**
 * Features of the centre of every labelled or test image, in their order. Kept in the folder: an evaluation that goes on
 * does not encode again.
 */
export function frozenFeatures(context: EvaluationContext, which: 'train' | 'test', { pool, batch }: FrozenOptions): Promise<Features> {
  const { model, data, engine, folder, signal, report } = context;
  const { encoder, statistics } = model;
  return folder.cached(`features-${which}`, async () => {
    await ensureEncoder(engine, model);
    const loader = await (which === 'test' ? data.openTest(batch) : data.openTrain({ batch, augment: { kind: 'none', cropFraction: data.cropFraction }, shuffle: false }));
    try {
      return await extractFeatures({
        objective: { encoder, grid: encoder.grid },
        engine,
        loader,
        pool,
        statistics,
        progress: (done, total) => {
          stopIfAsked(signal);
          report({ kind: 'progress', stage: `features of ${which} images`, unit: 'images', done, total, text: '' });
        },
      });
    } finally {
      await loader.close();
    }
  });
}
