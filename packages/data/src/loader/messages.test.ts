import { CheckpointError, CompositionError, ConfigError, DataError, EngineError, MimlabError, PluginError, TrainingError } from '@mimlab/core';
import { describe, expect, it } from 'vitest';
import type { MadeBatch } from './batch-maker.js';
import { packError, postBatch, receiveBatch, unpackError } from './messages.js';

const throughThread = <T>(value: T): T => structuredClone(value);

describe('errors between threads', () => {
  it('keep class, place, problem and remedy', () => {
    const error = unpackError(throughThread(packError(new ConfigError('too many', { place: 'a.yaml:3', remedy: 'Take fewer.' }))), 'batch 0');
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe('a.yaml:3: too many\n  Take fewer.');
  });

  it.each([CheckpointError, CompositionError, ConfigError, DataError, EngineError, PluginError, TrainingError, MimlabError])('of the kind %o stay of it', (Kind) => {
    const error = unpackError(throughThread(packError(new Kind('no such file', { place: 'teacher.pth' }))), 'batch 0');
    expect(error.constructor).toBe(Kind);
    expect(error.message).toBe('teacher.pth: no such file');
  });

  it('are foreign where they only bear a name that objects have', () => {
    const odd = Object.assign(new Error('odd'), { name: 'constructor' });
    expect(unpackError(packError(odd), 'batch 1').message).toMatch(/^batch 1: constructor: odd\n/);
  });

  it('say where they happened when they are foreign', () => {
    const error = unpackError(throughThread(packError(new TypeError('x is not a function'))), 'batch 3 of epoch 1');
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain('batch 3 of epoch 1: TypeError: x is not a function');
    expect(String(error.cause)).toContain('messages.test');
  });

  it('may be thrown values of any kind', () => {
    expect(unpackError(throughThread(packError('just text')), 'here')).toBeInstanceOf(MimlabError);
    expect(unpackError(throughThread(packError(undefined)), 'here').message).toContain('undefined');
  });
});

describe('batches between threads', () => {
  const memory = (): SharedArrayBuffer => new SharedArrayBuffer(8);
  const made = (images: SharedArrayBuffer, buffer: SharedArrayBuffer): MadeBatch => ({ images, extras: { buffer, places: [] }, crops: [], seconds: { read: 0, decode: 1, augment: 2, plan: 3, host: 4 } });

  it('name the slot they were made in', () => {
    const slot = { images: memory(), extras: memory() };
    const posted = postBatch(made(slot.images, slot.extras), slot);
    expect([posted.images, posted.extras]).toEqual([undefined, undefined]);
    expect(receiveBatch(posted, slot).images).toBe(slot.images);
    expect(receiveBatch(posted, slot).extras.buffer).toBe(slot.extras);
    expect(receiveBatch(posted, slot).seconds).toEqual({ read: 0, decode: 1, augment: 2, plan: 3, host: 4 });
  });

  it('bring new memory where the slot was too small or missing', () => {
    const slot = { images: memory(), extras: memory() };
    const [images, extras] = [memory(), memory()];
    expect(receiveBatch(postBatch(made(images, extras), slot), slot).images).toBe(images);
    expect(receiveBatch(postBatch(made(images, extras), undefined), undefined).extras.buffer).toBe(extras);
  });
});
