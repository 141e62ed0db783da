import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { EngineError } from '@mimlab/core';
import { expect, it } from 'vitest';
import { describeGraph, float } from '../graph/graph-engine.fixture.js';
import { ofBool, ofShape, ofType } from '../graph/attributes.js';
import { createGraphBuilder } from '../graph/graph-builder.js';
import { findTensorflow } from '../install/index.js';
import { loadTensorflow, type TensorflowApi } from './c-library.js';
import { configProto } from './config-proto.js';
import { openSession, type TensorflowSession } from './session.js';
import { aliveTensors, deleteTensors, tensorFrom } from './tensor.js';

async function withSession(body: (session: TensorflowSession, api: TensorflowApi) => Promise<void>): Promise<void> {
  const api = loadTensorflow(findTensorflow()?.library as string);
  const session = openSession(api, configProto({ threads: 1, xla: false }));
  try {
    await body(session, api);
  } finally {
    session.close();
  }
}

/** A placeholder, its square, and its halves. */
function smallGraph(prefix: string): { readonly bytes: Uint8Array; readonly x: string; readonly square: string; readonly split: string } {
  const graph = createGraphBuilder(prefix);
  const x = graph.ref('Placeholder', 'float32', [], { dtype: ofType('float32'), shape: ofShape([2]) });
  const square = graph.ref('Square', 'float32', [x], { T: ofType('float32') });
  const split = graph.node('Split', [graph.scalar(0, 'int32'), x], { T: ofType('float32'), num_split: (writer) => writer.uint32(3 << 3).int64(2) });
  return { bytes: graph.bytes(), x: x.name, square: square.name, split };
}

describeGraph('a TensorFlow session', () => {
  it('feeds, fetches and addresses outputs of one node apart', async () => {
    await withSession(async (session, api) => {
      const { bytes, x, square, split } = smallGraph('g');
      session.extend(bytes);
      const before = aliveTensors();
      const feed = tensorFrom(api, float([2], [3, 4]));
      const fetched = await session.run(session.callable([x], [square, `${split}:1`], []), [feed]);
      deleteTensors(api, [feed]);
      expect(fetched).toEqual([float([2], [9, 16]), float([1], [4])]);
      expect(aliveTensors()).toBe(before);
    });
  });

  it('grows: a second graph comes beside the first', async () => {
    await withSession(async (session) => {
      session.extend(smallGraph('first').bytes);
      const graph = createGraphBuilder('second');
      const sum = graph.ref('AddV2', 'float32', [graph.scalar(1), graph.scalar(2)], { T: ofType('float32') });
      session.extend(graph.bytes());
      expect(await session.run(session.callable([], [sum.name], []), [])).toEqual([float([], [3])]);
    });
  });

  it('runs nothing when nothing is asked for', async () => {
    await withSession(async (session) => {
      expect(await session.run(session.callable([], [], []), [])).toEqual([]);
    });
  });

  it("raises TensorFlow's message for a broken graph, an unknown node, and a missing feed, and frees its tensors", async () => {
    await withSession(async (session) => {
      expect(() => session.extend(Uint8Array.of(255, 255))).toThrow(EngineError);
      const graph = createGraphBuilder('bad');
      graph.node('NoSuchOperation', [], { flag: ofBool(true) });
      expect(() => session.extend(graph.bytes())).toThrow("Op type not registered 'NoSuchOperation'");
      expect(() => session.callable([], ['missing'], [])).toThrow('missing: no such node in the graph');
      const { bytes, square } = smallGraph('g');
      session.extend(bytes);
      const before = aliveTensors();
      await expect(session.run(session.callable([], [square], []), [])).rejects.toThrow('must feed a value for placeholder');
      expect(aliveTensors()).toBe(before);
    });
  });

  it('refuses a configuration that is no ConfigProto', () => {
    const api = loadTensorflow(findTensorflow()?.library as string);
    const truncated = new BinaryWriter().uint32((10 << 3) | 2).uint32(50).finish();
    expect(() => openSession(api, truncated)).toThrow('engine configuration');
  });
});

it('says which library could not be loaded', () => {
  expect(() => loadTensorflow('/nowhere/libtensorflow_cc.so.2')).toThrow(expect.objectContaining({ name: 'EngineError', place: '/nowhere/libtensorflow_cc.so.2' }));
});
