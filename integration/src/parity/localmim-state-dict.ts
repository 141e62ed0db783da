import { composeRun, createObjective, fileShape, sizeOfShape, type ParamSpec } from '@mimlab/core';
import { stateDictOrder } from '@mimlab/nn';
import { localMim, LocalMimConfig } from '@mimlab/plugin-localmim';
import { parameterUpdates, TrainConfig } from '@mimlab/train';
import { expect, it } from 'vitest';
import { z } from 'zod';

const StateDict = z.object({
  config: z.object({ img: z.int(), hog_nbins: z.int().optional(), hog_bias: z.boolean().default(false) }),
  parameter_count: z.int(),
  trainable: z.int(),
  state_dict: z.record(z.string(), z.object({ shape: z.array(z.int()), kind: z.string(), decay: z.boolean().optional() })),
});
type StateDict = z.infer<typeof StateDict>;

/** What a model predicts: only models of HOG have filters. */
export const featureOf = (keys: StateDict['state_dict'], config: StateDict['config']): Record<string, unknown> =>
  Object.keys(keys).some((name) => name.startsWith('hog_enc.')) ? { kind: 'hog', bins: config.hog_nbins, hogBias: config.hog_bias } : { kind: 'pixels' };

/**
 * Names, shapes, counts and weight decay of a full-size model.
 * @param settingsOf reads the architecture off the shapes
 */
export function describeLocalMimStateDict(
  json: unknown,
  settingsOf: (keys: StateDict['state_dict'], config: StateDict['config']) => Record<string, unknown>,
): void {
  const list = StateDict.parse(json);
  const { img } = list.config;
  // Buffers that follow from the window size are not stored by this library.
  const keys = Object.fromEntries(Object.entries(list.state_dict).filter(([, { kind }]) => kind !== 'buffer'));
  const config = LocalMimConfig.parse(settingsOf(keys, list.config));
  const specs = createObjective(composeRun({ image: { height: img, width: img, channels: 3 }, method: { plugin: localMim, config } })).params();
  const trained = Object.entries(specs).filter(([, { trainable }]) => trainable);
  const sizeOf = (entries: readonly (readonly [string, ParamSpec])[]): number => entries.reduce((sum, [, { shape }]) => sum + sizeOfShape(shape), 0);
  const namesOf = (entries: readonly (readonly [string, unknown])[]): string[] => entries.map(([name]) => name).sort();

  it('has the same names and file shapes in the same order', () => {
    const shapes = Object.fromEntries(Object.entries(specs).map(([name, { layout, shape }]) => [name, [...fileShape(layout, shape)]]));
    expect(stateDictOrder(Object.keys(specs)).map((name) => [name, shapes[name]])).toEqual(Object.entries(keys).map(([name, { shape }]) => [name, shape]));
  });

  it('freezes the same parameters and has as many numbers', () => {
    expect(namesOf(Object.entries(specs).filter(([, { trainable }]) => !trainable))).toEqual(namesOf(Object.entries(keys).filter(([, { kind }]) => kind === 'frozen')));
    expect([sizeOf(Object.entries(specs)), sizeOf(trained)]).toEqual([list.parameter_count, list.trainable]);
  });

  it('decays the same parameters', () => {
    const updates = Object.entries(parameterUpdates(specs, TrainConfig.parse({ weightDecay: 0.05, decayRule: 'official' })));
    expect(namesOf(updates.filter(([, { decay }]) => decay > 0))).toEqual(namesOf(Object.entries(keys).filter(([, { decay }]) => decay === true)));
  });
}
