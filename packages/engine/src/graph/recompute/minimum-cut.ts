/** A directed network whose edges have capacities; vertices are numbers from 0. */
export interface FlowNetwork {
  vertex(): number;
  edge(from: number, to: number, capacity: number): void;
  /**
   * Vertices from which `sink` can still be reached behind a largest flow from `source`: of all cheapest ways to cut the
   * two apart, the one nearest to the sink.
   */
  sideOfSink(source: number, sink: number): ReadonlySet<number>;
}

/** Dinic's algorithm: shortest paths level by level, until none is left. Capacities are whole numbers or infinite. */
export function createFlowNetwork(): FlowNetwork {
  const edgesOf: number[][] = [];
  const target: number[] = [];
  const left: number[] = [];

  /** Steps from `start` along edges that take more; `backwards` follows edges against their direction. */
  function levels(start: number, backwards: boolean): number[] {
    const level = new Array<number>(edgesOf.length).fill(-1);
    level[start] = 0;
    const queue = [start];
    for (let place = 0; place < queue.length; place++) {
      const vertex = queue[place] as number;
      for (const edge of edgesOf[vertex] as number[]) {
        const next = target[edge] as number;
        // Edges lie in pairs: the other of the pair leads back.
        if ((level[next] as number) >= 0 || (left[backwards ? edge ^ 1 : edge] as number) <= 0) continue;
        level[next] = (level[vertex] as number) + 1;
        queue.push(next);
      }
    }
    return level;
  }

  /** One path along rising levels, with what it takes; `tried` skips edges that led nowhere. */
  function augment(source: number, sink: number, level: readonly number[], tried: number[]): boolean {
    const path: number[] = [];
    let vertex = source;
    while (vertex !== sink) {
      const edges = edgesOf[vertex] as number[];
      const edge = edges[tried[vertex] as number];
      if (edge === undefined) {
        const last = path.pop();
        if (last === undefined) return false;
        vertex = target[last ^ 1] as number;
        tried[vertex] = (tried[vertex] as number) + 1;
        continue;
      }
      const next = target[edge] as number;
      if ((left[edge] as number) > 0 && level[next] === (level[vertex] as number) + 1) {
        path.push(edge);
        vertex = next;
      } else tried[vertex] = (tried[vertex] as number) + 1;
    }
    const taken = Math.min(...path.map((edge) => left[edge] as number));
    for (const edge of path) {
      left[edge] = (left[edge] as number) - taken;
      left[edge ^ 1] = (left[edge ^ 1] as number) + taken;
    }
    return true;
  }

  return {
    vertex: () => edgesOf.push([]) - 1,
    edge(from, to, capacity) {
      (edgesOf[from] as number[]).push(target.push(to) - 1);
      left.push(capacity);
      (edgesOf[to] as number[]).push(target.push(from) - 1);
      left.push(0);
    },
    sideOfSink(source, sink) {
      for (let level = levels(source, false); (level[sink] as number) >= 0; level = levels(source, false)) {
        const tried = new Array<number>(edgesOf.length).fill(0);
        while (augment(source, sink, level, tried));
      }
      const reached = levels(sink, true);
      return new Set(reached.flatMap((level, vertex) => (level >= 0 ? [vertex] : [])));
    },
  };
}
