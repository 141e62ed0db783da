import { randomUUID } from 'node:crypto';
import { EngineError, sizeOfShape, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import * as tf from '@tensorflow/tfjs-core';
import type { StateSpec } from '../contract.js';
import { checkHostTensor, toHost, toTensor } from './host-tensors.js';

/** Named float32 variables of one engine. Call its functions with the engine's backend selected. */
export interface EagerState {
  define(name: string, spec: StateSpec): void;
  /** Zeros under a name, unless it is there. */
  ensureZeros(name: string, shape: readonly number[]): void;
  /** @throws EngineError on an unknown name. */
  get(name: string): tf.Variable;
  has(name: string): boolean;
  names(): readonly string[];
  read(names: readonly string[]): Record<string, HostTensor>;
  write(values: NamedHostTensors): void;
  dispose(): void;
}

export function createEagerState(): EagerState {
  // tfjs registers variables by name for the whole process; engines must not meet there.
  const prefix = randomUUID();
  const variables = new Map<string, tf.Variable>();

  const create = (name: string, shape: readonly number[], values: Float32Array): void => {
    const initial = toTensor({ data: values, dtype: 'float32', shape });
    variables.set(name, tf.variable(initial, true, `${prefix}/${name}`));
    initial.dispose();
  };
  const get = (name: string): tf.Variable => {
    const variable = variables.get(name);
    if (variable === undefined) {
      throw new EngineError('no state of this name', { place: name, remedy: `Known names start with: ${[...variables.keys()].slice(0, 5).join(', ') || '(none yet)'}.` });
    }
    return variable;
  };

  return {
    get,
    has: (name) => variables.has(name),
    names: () => [...variables.keys()],
    define(name, { shape, init }) {
      const values = init();
      if (values.length !== sizeOfShape(shape)) {
        throw new EngineError(`its initial value has ${values.length} numbers, its shape [${shape.join(', ')}] needs ${sizeOfShape(shape)}`, { place: name });
      }
      create(name, shape, values);
    },
    ensureZeros(name, shape) {
      if (!variables.has(name)) create(name, shape, new Float32Array(sizeOfShape(shape)));
    },
    read: (names) => Object.fromEntries(names.map(get).map((variable, index) => [names[index] as string, toHost(variable)])),
    write(values) {
      const entries = Object.entries(values).map(([name, value]) => ({ name, value, variable: get(name) }));
      for (const { name, value, variable } of entries) {
        checkHostTensor(name, value);
        if (value.dtype !== 'float32' || value.shape.join() !== variable.shape.join()) {
          const [given, needed] = [`${value.dtype} [${value.shape.join(', ')}]`, `float32 [${variable.shape.join(', ')}]`];
          throw new EngineError(`${given} was given, ${needed} is needed`, { place: name, remedy: 'Nothing was written.' });
        }
      }
      tf.tidy(() => {
        for (const { value, variable } of entries) variable.assign(toTensor(value));
      });
    },
    dispose() {
      for (const variable of variables.values()) variable.dispose();
      variables.clear();
    },
  };
}
