/** What a person needs to mend a mistake: where it is, and what to do. */
export interface ErrorDetails {
  /** File, key or tensor that the message is about, e.g. `run.yaml:4:3` or `blocks.0.attn.qkv.weight`. */
  readonly place?: string;
  /** One sentence that says how to mend it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * A mistake the user can mend. The command line prints its message and no stack trace.
 * The message reads `place: problem. remedy`.
 */
export class MimlabError extends Error {
  readonly place: string | undefined;
  readonly problem: string;
  readonly remedy: string | undefined;

  constructor(problem: string, details: ErrorDetails = {}) {
    const place = details.place === undefined ? '' : `${details.place}: `;
    const remedy = details.remedy === undefined ? '' : `\n  ${details.remedy}`;
    super(`${place}${problem}${remedy}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.place = details.place;
    this.problem = problem;
    this.remedy = details.remedy;
  }
}

/** A configuration that cannot be run: unknown keys, wrong types, values that contradict each other. */
export class ConfigError extends MimlabError {}
/** A plugin that cannot be found, does not fit this core, or breaks its contract. */
export class PluginError extends MimlabError {}
/** Hooks of different plugins that do not fit together. */
export class CompositionError extends MimlabError {}
/** A data set, image or plan that cannot be used. */
export class DataError extends MimlabError {}
/** A weight file or checkpoint that is damaged, foreign or does not fit the model. */
export class CheckpointError extends MimlabError {}
/** The engine cannot run: library missing, unsupported operation, wrong input. */
export class EngineError extends MimlabError {}
/** Training had to stop: non-finite loss or gradient, no space left. */
export class TrainingError extends MimlabError {}
