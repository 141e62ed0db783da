import { describe, expect, it } from 'vitest';
import { EngineConfig } from './config.js';

describe('EngineConfig', () => {
  it('chooses the engine itself, in float32 and without XLA, where nothing is said', () => {
    expect(EngineConfig.parse({})).toEqual({ kind: 'auto', precision: 'fp32', xla: false, cache: true, recompute: 'none' });
  });

  it('keeps what is said', () => {
    const said = { kind: 'graph', precision: 'bf16', threads: 2, xla: true, cache: false, recompute: 'cheap' };
    expect(EngineConfig.parse(said)).toEqual(said);
  });

  it.each([{ thread: 2 }, { kind: 'compiled' }, { precision: 'fp16' }, { threads: 0 }, { threads: 1.5 }, { xla: 'yes' }, { cache: 'folder' }, { recompute: true }])('refuses %o', (wrong) => {
    expect(EngineConfig.safeParse(wrong).success).toBe(false);
  });

  it('describes every key, for the JSON schema', () => {
    for (const [key, schema] of Object.entries(EngineConfig.shape)) expect(schema.description, key).toBeTruthy();
  });
});
