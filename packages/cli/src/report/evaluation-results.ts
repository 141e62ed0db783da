import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RESULTS_FILE, type EvaluationResults } from '@mimlab/evaluate';
import { z } from 'zod';

/** What a report shows of results.json. */
const Results = z.object({
  protocol: z.string(),
  accuracy: z.number(),
  interval: z.object({ low: z.number(), high: z.number() }),
  samples: z.int(),
  correct: z.int(),
  top5: z.number().optional(),
  labelled: z.int(),
  perClass: z.array(z.object({ name: z.string(), samples: z.int(), correct: z.int(), accuracy: z.number().nullable() })),
  confusion: z.array(z.array(z.int())),
}) satisfies z.ZodType<Partial<EvaluationResults>>;

export type ReportedResults = z.infer<typeof Results>;

/** Evaluations of one name, which says protocol, data, labels and seed, by run. */
export interface EvaluationGroup {
  readonly name: string;
  /** In the order of runs; undefined where a run has none of this name. */
  readonly results: readonly (ReportedResults | undefined)[];
}

const FOLDER = 'evaluations';

/** Results of the evaluations in a run's folder, by name. Those that are not done yet have none. */
export async function readEvaluations(run: string, notice: (message: string) => void): Promise<Map<string, ReportedResults>> {
  const folder = join(run, FOLDER);
  const found = new Map<string, ReportedResults>();
  for (const name of (await namesIn(folder)).sort()) {
    const path = join(folder, name, RESULTS_FILE);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (text === undefined) continue;
    const parsed = Results.safeParse(jsonOf(text));
    if (parsed.success) found.set(name, parsed.data);
    else notice(`${path}: left out, it holds no results that this version reads`);
  }
  return found;
}

/** Puts evaluations of the same name beside each other. */
export function groupEvaluations(runs: readonly ReadonlyMap<string, ReportedResults>[]): EvaluationGroup[] {
  const names = [...new Set(runs.flatMap((results) => [...results.keys()]))].sort();
  return names.map((name) => ({ name, results: runs.map((results) => results.get(name)) }));
}

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
