import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConfigError } from '../errors.js';
import { checkSettings, readSettings } from './settings.js';

const Schema = z.strictObject({ epochs: z.int().default(3), mix: z.strictObject({ mixup: z.number().default(0) }).prefault({}) });

describe('settings given one by one', () => {
  it('are read as YAML, maps on the way are made', () => {
    expect(readSettings(['epochs=10', 'mix.mixup=0.5', 'augment={kind: none}', 'data.size=[16, 32]'])).toEqual({ epochs: 10, mix: { mixup: 0.5 }, augment: { kind: 'none' }, data: { size: [16, 32] } });
  });

  it('are none without overrides', () => {
    expect(readSettings([])).toEqual({});
  });

  it('are refused together where they cannot be read', () => {
    expect(() => readSettings(['epochs', '=5'])).toThrow(/--set epochs: an override reads KEY.KEY=VALUE[\s\S]*--set =5/);
  });

  it('get their defaults', () => {
    expect(checkSettings(Schema, { mix: {} })).toEqual({ epochs: 3, mix: { mixup: 0 } });
  });

  it('are refused with every mistake and the key as it was typed', () => {
    const check = () => checkSettings(Schema, { epoch: 5, mix: { mixup: 'a' } }, 'protocol.');
    expect(check).toThrow(ConfigError);
    expect(check).toThrow(/protocol\.mix\.mixup: wrong type, got 'a', expected a number/);
    expect(check).toThrow(/protocol\.epoch: unknown key.*epochs/);
  });
});
