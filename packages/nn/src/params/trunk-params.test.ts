import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { trunkParams } from './trunk-params.js';

const named = (...names: string[]) => Object.fromEntries(names.map((name) => [name, { name } as unknown as Tensor]));

describe('parameters of a trunk', () => {
  it('are those of the encoder under their own names where it has no prefix', () => {
    const params = named('cls_token', 'blocks.0.norm1.weight', 'norm.weight');
    expect(trunkParams(params)).toEqual(params);
  });

  it('lose the prefix, and what lies outside it', () => {
    expect(Object.keys(trunkParams(named('encoder.norm.bias', 'decoder.0.weight'), 'encoder.'))).toEqual(['norm.bias']);
  });

  it('have the last of several norms as the final one', () => {
    const params = trunkParams(named('encoder.norm.0.weight', 'encoder.norm.3.weight', 'encoder.norm.3.bias'), 'encoder.');
    expect(params['norm.weight']).toEqual({ name: 'encoder.norm.3.weight' });
    expect(params['norm.bias']).toEqual({ name: 'encoder.norm.3.bias' });
  });
});
