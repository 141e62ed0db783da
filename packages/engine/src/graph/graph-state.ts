import { EngineError, sizeOfShape, type HostTensor, type NamedHostTensors } from '@mimlab/core';
import type { StateSpec } from '../contract.js';
import { checkHostTensor } from '../eager/host-tensors.js';
import type { Pointer, TensorflowApi } from '../tensorflow/c-library.js';
import type { Callable, TensorflowSession } from '../tensorflow/session.js';
import { deleteTensors, tensorFrom } from '../tensorflow/tensor.js';
import { ofShape, ofType } from './attributes.js';
import { createGraphBuilder } from './graph-builder.js';
import { variableNode } from './variables.js';

/** Values go to and from the session in pieces of about this size: every piece is held twice for a moment. */
const CHUNK_BYTES = 48 << 20;

interface Variable {
  readonly shape: readonly number[];
  /** Name under which graphs share it. Not the state's own name: that may hold any character. */
  readonly sharedName: string;
  /** Nodes that serve `read`, `write` and the start from zero. */
  readonly nodes: { readonly placeholder: string; readonly assign: string; readonly read: string; readonly zero: string };
}

/** Named float32 variables that live in a session. Its functions must not run side by side. */
export interface GraphState {
  has(name: string): boolean;
  /** @throws EngineError on an unknown name. */
  get(name: string): Pick<Variable, 'shape' | 'sharedName'>;
  names(): readonly string[];
  shapes(): ReadonlyMap<string, readonly number[]>;
  /** Declares at once, computes and writes the initial values. @throws EngineError on a name that exists. */
  define(specs: Readonly<Record<string, StateSpec>>): () => Promise<void>;
  /** Declares a state that starts from zero, unless it is there; `settle` makes the zeros. */
  ensureZeros(name: string, shape: readonly number[]): void;
  settle(): Promise<void>;
  read(names: readonly string[]): Promise<Record<string, HostTensor>>;
  /** Checks at once; the function that it gives writes, piece by piece. @throws EngineError before anything is written. */
  write(values: NamedHostTensors): () => Promise<void>;
}

export function createGraphState(api: TensorflowApi, session: TensorflowSession): GraphState {
  const variables = new Map<string, Variable>();
  const callables = new Map<string, Callable>();
  const pending = new Set<string>();
  let count = 0;
  let extensions = 0;

  const find = (name: string): Variable => {
    const variable = variables.get(name);
    if (variable !== undefined) return variable;
    throw new EngineError('no state of this name', {
      place: name,
      remedy: `Known names start with: ${[...variables.keys()].slice(0, 5).join(', ') || '(none yet)'}.`,
    });
  };

  /** Adds the nodes of new variables to the session. */
  const declare = (shapes: ReadonlyMap<string, readonly number[]>): void => {
    if (shapes.size === 0) return;
    const graph = createGraphBuilder(`state${extensions++}`, false);
    const added = new Map<string, Variable>();
    for (const [name, shape] of shapes) {
      const sharedName = `v${count++}`;
      const variable = variableNode(graph, sharedName, shape);
      const placeholder = graph.ref('Placeholder', 'float32', [], { dtype: ofType('float32'), shape: ofShape(shape) });
      const zeros = graph.ref('Fill', 'float32', [graph.ints(shape), graph.scalar(0)], { T: ofType('float32'), index_type: ofType('int32') });
      added.set(name, {
        shape: [...shape],
        sharedName,
        nodes: { placeholder: placeholder.name, assign: variable.assign(placeholder), read: variable.read().name, zero: variable.assign(zeros) },
      });
    }
    session.extend(graph.bytes());
    for (const [name, variable] of added) variables.set(name, variable);
  };

  /** TensorFlow prepares a graph for each set of feeds and fetches: equal sets must be equal objects. */
  const callable = (feeds: readonly string[], fetches: readonly string[], targets: readonly string[]): Callable => {
    const key = [feeds, fetches, targets].map((names) => names.join(' ')).join('|');
    const known = callables.get(key) ?? session.callable(feeds, fetches, targets);
    callables.set(key, known);
    return known;
  };

  const assign = async (values: readonly { readonly name: string; readonly tensor: Pointer }[]): Promise<void> => {
    const nodes = values.map(({ name }) => find(name).nodes);
    const feeds = nodes.map(({ placeholder }) => placeholder);
    await session.run(callable(feeds, [], nodes.map((node) => node.assign)), values.map(({ tensor }) => tensor)); // prettier-ignore
  };

  const chunks = (names: readonly string[]): string[][] => {
    const groups: string[][] = [[]];
    let bytes = 0;
    for (const name of names) {
      const size = sizeOfShape(find(name).shape) * 4;
      if (bytes > 0 && bytes + size > CHUNK_BYTES) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push(name);
      bytes += size;
    }
    return groups.filter((group) => group.length > 0);
  };

  return {
    has: (name) => variables.has(name),
    get: find,
    names: () => [...variables.keys()],
    shapes: () => new Map([...variables].map(([name, { shape }]) => [name, shape])),

    define(specs) {
      const known = Object.keys(specs).find((name) => variables.has(name));
      if (known !== undefined) throw new EngineError('state of this name exists', { place: known, remedy: 'Define each state once in an engine.' });
      declare(new Map(Object.entries(specs).map(([name, { shape }]) => [name, shape])));
      return async () => {
        for (const names of chunks(Object.keys(specs))) {
          const values: { name: string; tensor: Pointer }[] = [];
          try {
            for (const name of names) {
              const { shape, init } = specs[name] as StateSpec;
              const tensor: HostTensor = { shape, dtype: 'float32', data: init() };
              checkHostTensor(name, tensor);
              values.push({ name, tensor: tensorFrom(api, tensor) });
            }
            await assign(values);
          } finally {
            deleteTensors(api, values.map(({ tensor }) => tensor)); // prettier-ignore
          }
        }
      };
    },

    ensureZeros(name, shape) {
      if (variables.has(name) || pending.has(name)) return;
      declare(new Map([[name, shape]]));
      pending.add(name);
    },

    async settle() {
      if (pending.size === 0) return;
      const names = [...pending];
      pending.clear();
      await session.run(session.callable([], [], names.map((name) => find(name).nodes.zero)), []); // prettier-ignore
    },

    async read(names) {
      const values: Record<string, HostTensor> = {};
      for (const group of chunks(names)) {
        const fetched = await session.run(callable([], group.map((name) => find(name).nodes.read), []), []); // prettier-ignore
        group.forEach((name, index) => (values[name] = fetched[index] as HostTensor));
      }
      return values;
    },

    write(values) {
      for (const [name, value] of Object.entries(values)) {
        const { shape } = find(name);
        checkHostTensor(name, value);
        if (value.dtype === 'float32' && value.shape.join() === shape.join()) continue;
        const [given, needed] = [`${value.dtype} [${value.shape.join(', ')}]`, `float32 [${shape.join(', ')}]`];
        throw new EngineError(`${given} was given, ${needed} is needed`, { place: name, remedy: 'Nothing was written.' });
      }
      return async () => {
        for (const group of chunks(Object.keys(values))) {
          const tensors: { name: string; tensor: Pointer }[] = [];
          try {
            for (const name of group) tensors.push({ name, tensor: tensorFrom(api, values[name] as HostTensor) });
            await assign(tensors);
          } finally {
            deleteTensors(api, tensors.map(({ tensor }) => tensor)); // prettier-ignore
          }
        }
      };
    },
  };
}
