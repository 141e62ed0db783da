import { composeRun, createObjective, totalMacs, type Composition, type MacParts } from '@mimlab/core';
import { formulaMacs, withoutWrappers } from '../cost/count-cost.js';
import { modelledMemory, type Aggregator, type ModelledMemory } from './memory-model.js';
import type { PaperRow } from './paper-tables.js';
import { loadRow } from './row-preset.js';

/** What a row costs at full scale by this project's own computation, under the names of paper-tables.yaml. Nothing is trained. */
export interface Analytic {
  /** 1e9 multiply-accumulates of the forward pass over one image, as the paper counts; without the teacher. */
  readonly gmacs: number;
  /** Over the full method. */
  readonly flopsRatio: number;
  /** The same with TEC's teacher, which costs what it costs whatever is thrown. */
  readonly gmacsWithTeacher?: number;
  readonly flopsRatioWithTeacher?: number;
  /** Of the aggregation of thrown tokens alone. */
  readonly moduleGmacs?: number;
  /** Images of a step at which memory is modelled. */
  readonly memoryBatch?: number;
  /** 1e9 bytes of a training step in mixed precision by the paper's memory model. */
  readonly memoryGB?: number;
  /** Over the full method. */
  readonly memRatioModel?: number;
}

interface SideCost {
  readonly macs: MacParts;
  readonly memory: ModelledMemory | undefined;
}

const counted = new Map<string, SideCost>();

/** Costs of a composition; the same composition is counted once, however many rows it has. */
function sideCost({ framework }: PaperRow, composition: Composition, aggregator: Aggregator | undefined): SideCost {
  const { image, method, wrap = [] } = composition;
  const name = JSON.stringify([image, method.plugin.name, method.config, wrap.map(({ plugin, config }) => [plugin.name, config])]);
  const known = counted.get(name);
  if (known !== undefined) return known;
  const cost: SideCost = {
    macs: formulaMacs(composition, 'paper'),
    memory: modelledMemory(framework, method.config, createObjective(composeRun(composition)), aggregator),
  };
  counted.set(name, cost);
  return cost;
}

const GIGA = 1e9;

/** The analytic cells of a row, from its preset. By closed formula: tests hold that against the recorded graph. */
export async function rowAnalytic(row: PaperRow): Promise<Analytic> {
  const { composition } = await loadRow(row);
  const { progressive, aggregator = 'dwconv' } = row.components;
  const own = sideCost(row, composition, progressive ? aggregator : undefined);
  const full = sideCost(row, withoutWrappers(composition), undefined);
  const student = (macs: MacParts): number => totalMacs(macs) - (macs['target'] ?? 0);
  const aggregation = own.macs['aggregator'] ?? (progressive ? 0 : undefined);
  return {
    gmacs: student(own.macs) / GIGA,
    flopsRatio: student(own.macs) / student(full.macs),
    ...(row.framework === 'TEC' ? { gmacsWithTeacher: totalMacs(own.macs) / GIGA, flopsRatioWithTeacher: totalMacs(own.macs) / totalMacs(full.macs) } : {}),
    ...(aggregation === undefined ? {} : { moduleGmacs: aggregation / GIGA }),
    ...(own.memory === undefined || full.memory === undefined
      ? {}
      : { memoryBatch: own.memory.batch, memoryGB: own.memory.total / GIGA, memRatioModel: own.memory.total / full.memory.total }),
  };
}
