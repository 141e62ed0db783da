import { CORRUPTIONS, type CorruptionName, type Severity } from '@mimlab/data';

/**
 * Errors of AlexNet on ImageNet-C, 0..1, each the mean of five severities: what Hendrycks & Dietterich (2019,
 * arXiv:1903.12261) divide by. Published with the benchmark's code.
 */
export const ALEXNET_ERRORS: Readonly<Record<CorruptionName, number>> = {
  gaussian_noise: 0.886428,
  shot_noise: 0.894468,
  impulse_noise: 0.92264,
  defocus_blur: 0.81988,
  glass_blur: 0.826268,
  motion_blur: 0.785948,
  zoom_blur: 0.79836,
  snow: 0.866816,
  frost: 0.826572,
  fog: 0.819324,
  brightness: 0.564592,
  contrast: 0.853204,
  elastic_transform: 0.646056,
  pixelate: 0.71784,
  jpeg_compression: 0.6065,
};

/** Error of the same AlexNet on the images as they are, 0..1 (table 1 of the paper). */
export const ALEXNET_CLEAN_ERROR = 0.435;

export const SEVERITIES: readonly Severity[] = [1, 2, 3, 4, 5];

/** One corruption at one severity. */
export interface Cell {
  readonly corruption: CorruptionName;
  readonly severity: Severity;
}

export interface CellError extends Cell {
  /** 0..1 */
  readonly error: number;
}

/** What results say of one corruption. All numbers are shares: 0..1, or 1 for as bad as AlexNet. */
export interface CorruptionResult {
  /** Mean over the severities that were measured. */
  readonly error: number;
  /** By severity. */
  readonly severities: Readonly<Record<string, number>>;
  /** Error over that of AlexNet. */
  readonly ce?: number;
  /** What corruption adds to the error, over what it adds for AlexNet. */
  readonly relativeCE?: number;
}

export interface CorruptionSummary {
  /** Mean of the errors of the corruptions, not normalised. */
  readonly meanError: number;
  /** Mean corruption error; only where all corruptions were measured at all severities on the classes of ImageNet. */
  readonly mCE?: number;
  readonly relativeMCE?: number;
  readonly corruptions: Readonly<Partial<Record<CorruptionName, CorruptionResult>>>;
  /** What was not measured: `fog/3`, or `fog` for all its severities. */
  readonly missing: readonly string[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export const cellName = ({ corruption, severity }: Cell): string => `${corruption}/${severity}`;

export const ALL_CELLS: readonly Cell[] = CORRUPTIONS.flatMap((corruption) => SEVERITIES.map((severity) => ({ corruption, severity })));

/** Names of what is absent; a corruption that is absent at every severity once, without them. */
export function missingNames(has: (cell: Cell) => boolean): readonly string[] {
  return CORRUPTIONS.flatMap((corruption) => {
    const absent = SEVERITIES.map((severity) => ({ corruption, severity })).filter((cell) => !has(cell));
    return absent.length === SEVERITIES.length ? [corruption] : absent.map(cellName);
  });
}

/**
 * Means of errors, as the benchmark defines them: over severities first, then over corruptions.
 * @param cells at least one, each once
 * @param cleanError 0..1, on the same images uncorrupted
 * @param imagenet the errors are of all 1000 classes, so that those of AlexNet stand beside them
 */
export function summarizeCorruptions(cells: readonly CellError[], cleanError: number, imagenet: boolean): CorruptionSummary {
  const results = CORRUPTIONS.flatMap((corruption): [CorruptionName, CorruptionResult][] => {
    const own = cells.filter((cell) => cell.corruption === corruption);
    if (own.length === 0) return [];
    const error = mean(own.map((cell) => cell.error));
    const severities = Object.fromEntries(own.map((cell) => [String(cell.severity), cell.error]));
    const reference = ALEXNET_ERRORS[corruption];
    const normalized = imagenet && own.length === SEVERITIES.length ? { ce: error / reference, relativeCE: (error - cleanError) / (reference - ALEXNET_CLEAN_ERROR) } : {};
    return [[corruption, { error, severities, ...normalized }]];
  });
  const all = results.map(([, result]) => result);
  const complete = cells.length === ALL_CELLS.length && imagenet;
  return {
    meanError: mean(all.map(({ error }) => error)),
    ...(complete ? { mCE: mean(all.map(({ ce }) => ce as number)), relativeMCE: mean(all.map(({ relativeCE }) => relativeCE as number)) } : {}),
    corruptions: Object.fromEntries(results),
    missing: missingNames((cell) => cells.some((measured) => cellName(measured) === cellName(cell))),
  };
}
