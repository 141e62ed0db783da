import { randomStream, type ParamSpec, type ParamSpecs } from '@mimlab/core';
import { expectComplaints, type Break } from '../toy-method.test-support.js';

const START = 'its parameters start finite, with as many values as their shapes say';
const SEED = 'its parameters start the same for one seed and differ between seeds';
const FILE = 'its parameters come back from a safetensors file bit for bit';
const FROZEN = 'frozen parameters stay as they are while it trains';

/** Every parameter of the toy changed, perhaps otherwise at every call. */
function everywhere(change: (spec: ParamSpec, call: number) => ParamSpec): Break {
  const changed = <Hook extends { params(): ParamSpecs }>(sound: Hook): Hook => {
    let call = 0;
    const params = (): ParamSpecs => {
      call++;
      return Object.fromEntries(Object.entries(sound.params()).map(([name, spec]) => [name, change(spec, call)]));
    };
    return { ...sound, params };
  };
  return { encoder: changed, decoder: changed };
}
/** One more parameter of two values. */
const withParam = (name: string, spec: () => Partial<ParamSpec>): Break => ({
  encoder: (sound) => ({
    ...sound,
    params: () => ({ ...sound.params(), [name]: { shape: [2], trainable: false, layout: { kind: 'same' }, init: () => Float32Array.of(1, 2), ...spec() } }),
  }),
});

expectComplaints({
  'has nothing to learn': {
    broken: everywhere((spec) => ({ ...spec, trainable: false })),
    check: START,
    says: /there is no trainable parameter/,
  },
  'starts a parameter at NaN': {
    broken: withParam('lost', () => ({ init: () => Float32Array.of(1, NaN) })),
    check: START,
    says: /lost: its initial value is not finite/,
  },
  'starts a parameter with too many values': {
    broken: withParam('long', () => ({ init: () => Float32Array.of(1, 2, 3) })),
    check: START,
    says: /long: shape \[2\] has 2 values, init gave 3/,
  },
  'starts the same whatever the seed is': {
    broken: everywhere((spec) => ({ ...spec, init: (shape) => spec.init(shape, randomStream('own')) })),
    check: SEED,
    says: /the seed changes no parameter/,
  },
  'declares a layout that does not fit the shape': {
    broken: withParam('crooked', () => ({ layout: { kind: 'conv' } })),
    check: FILE,
    says: /shape \[2\] cannot have the layout 'conv'/,
  },
  'declares a frozen parameter that training moves': {
    broken: everywhere((spec, call) => ({ ...spec, trainable: call % 2 === 0 })),
    check: FROZEN,
    says: /is declared trainable: false and moved/,
  },
});
