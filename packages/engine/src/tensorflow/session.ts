import { EngineError, type HostTensor } from '@mimlab/core';
import type { Pointer, TensorflowApi } from './c-library.js';
import { readRunMetadata, withMetadata, type RunProfile } from './run-metadata.js';
import { checkStatus, withBuffer, withStatus } from './status.js';
import { adoptTensor, deleteTensors, hostTensor } from './tensor.js';

/** One set of feeds, fetches and targets by name, resolved. TensorFlow optimises the graph once for each such set. */
export interface Callable {
  readonly feeds: readonly string[];
  readonly fetches: readonly string[];
  /** @internal TF_Output and TF_Operation* arrays as C wants them. */
  readonly native: { readonly inputs: BigInt64Array; readonly outputs: BigInt64Array; readonly targets: BigInt64Array };
}

export interface TensorflowSession {
  /** Adds the nodes of a serialised GraphDef; names must be new. Inputs may be nodes added earlier. */
  extend(graphDef: Uint8Array): void;
  /** `NODE` or `NODE:OUTPUT`. @throws EngineError on an unknown node. */
  callable(feeds: readonly string[], fetches: readonly string[], targets: readonly string[]): Callable;
  /**
   * Runs on a thread of its own and leaves the event loop free. `feeds` stay the caller's, who keeps them until it ends.
   * @throws TensorflowError
   */
  run(callable: Callable, feeds: readonly Pointer[]): Promise<HostTensor[]>;
  /** The same with TensorFlow's own record of what ran and what it allocated. */
  profile(callable: Callable, feeds: readonly Pointer[]): Promise<{ readonly fetched: HostTensor[]; readonly profile: RunProfile }>;
  /** No run may be under way. */
  close(): void;
}

/** A graph and a session over it. @throws TensorflowError */
export function openSession(api: TensorflowApi, config: Uint8Array): TensorflowSession {
  const graph = api.newGraph() as Pointer;
  const session = ((): Pointer => {
    const options = api.newSessionOptions() as Pointer;
    try {
      withStatus(api, 'engine configuration', (status) => api.setConfig(options, config, config.length, status));
      return withStatus(api, 'engine', (status) => api.newSession(graph, options, status) as Pointer);
    } catch (error) {
      api.deleteGraph(graph);
      throw error;
    } finally {
      api.deleteSessionOptions(options);
    }
  })();

  const operation = (name: string): bigint => {
    const pointer = api.operationByName(graph, name) as Pointer;
    if (pointer === null) throw new EngineError('no such node in the graph', { place: name });
    return pointer;
  };
  // TF_Output is {TF_Operation* oper; int index}, padded to 16 bytes: two 64-bit words on little-endian machines.
  const outputs = (names: readonly string[]): BigInt64Array =>
    BigInt64Array.from(
      names.flatMap((name) => {
        const [node = '', index = '0'] = name.split(':');
        return [operation(node), BigInt(index)];
      }),
    );

  function execute(callable: Callable, feeds: readonly Pointer[], options: Pointer, metadata: Pointer): Promise<HostTensor[]> {
    const { native, fetches } = callable;
    // TensorFlow takes a run that asks for nothing as a mistake; for a step without metrics it is not.
    if (fetches.length === 0 && native.targets.length === 0) return Promise.resolve([]);
    const inputs = BigInt64Array.from(feeds, (feed) => feed ?? 0n);
    const fetched = new BigInt64Array(fetches.length);
    const status = api.newStatus() as Pointer;
    return new Promise((resolve, reject) => {
      const finish = (error: unknown): void => {
        const tensors = [...fetched].map((pointer): Pointer => (pointer === 0n ? null : BigInt.asUintN(64, pointer)));
        for (const tensor of tensors) if (tensor !== null) adoptTensor();
        try {
          if (error) throw error;
          checkStatus(api, status, 'TensorFlow');
          resolve(tensors.map((tensor, index) => hostTensor(api, tensor, fetches[index] ?? '')));
        } catch (failure) {
          reject(failure as Error);
        } finally {
          deleteTensors(api, tensors);
          api.deleteStatus(status);
        }
      };
      // The arrays stay referenced by `finish` and `callable` until the call has ended.
      api.sessionRun.async(
        session, options, native.inputs, inputs, feeds.length, native.outputs, fetched, fetches.length,
        native.targets, native.targets.length, metadata, status, finish,
      ); // prettier-ignore
    });
  }

  return {
    extend(graphDef) {
      const options = api.newImportOptions() as Pointer;
      try {
        withBuffer(api, graphDef, (buffer) => withStatus(api, 'graph', (status) => api.importGraphDef(graph, buffer, options, status)));
      } finally {
        api.deleteImportOptions(options);
      }
    },
    callable: (feeds, fetches, targets) => ({
      feeds,
      fetches,
      native: { inputs: outputs(feeds), outputs: outputs(fetches), targets: BigInt64Array.from(targets, operation) },
    }),
    run: (callable, feeds) => execute(callable, feeds, null, null),
    profile: (callable, feeds) =>
      withMetadata(api, async (options, metadata) => {
        const fetched = await execute(callable, feeds, options, metadata.pointer);
        return { fetched, profile: readRunMetadata(metadata.bytes()) };
      }),
    close() {
      try {
        withStatus(api, 'engine', (status) => api.closeSession(session, status));
      } finally {
        withStatus(api, 'engine', (status) => api.deleteSession(session, status));
        api.deleteGraph(graph);
      }
    },
  };
}
