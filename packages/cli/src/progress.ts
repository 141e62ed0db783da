import { durationText } from './duration.js';
import type { Terminal } from './terminal.js';

/** State of a long piece of work. */
export interface ProgressState {
  readonly done: number;
  readonly total: number;
  /** Beside the counts: the loss, say. */
  readonly text: string;
  /** Work units in one `done`, for the rate: images in an update. Default 1. */
  readonly unitsEach?: number;
}

export interface ProgressOptions {
  readonly label: string;
  /** Name of what the rate counts: `images`. */
  readonly unit: string;
  /** Clock in seconds. */
  readonly now?: () => number;
}

export interface Progress {
  update(state: ProgressState): void;
  /** Removes the live line. */
  end(): void;
}

/** Seconds between states of the live line, and between plain lines where no terminal is live. */
const LIVE_EVERY = 0.1;
const PLAIN_EVERY = 10;
/** The rate is that of the last stretch, so that a slow start (compiling) does not spoil the estimate for long. */
const WINDOW_SECONDS = 20;

/** One live line on a terminal; elsewhere a plain line now and then, the first and the last included. */
export function createProgress(terminal: Terminal, options: ProgressOptions): Progress {
  const now = options.now ?? (() => performance.now() / 1000);
  const every = terminal.live ? LIVE_EVERY : PLAIN_EVERY;
  const window: { at: number; done: number }[] = [];
  let shownAt = -Infinity;

  return {
    update(state) {
      const at = now();
      window.push({ at, done: state.done });
      while (window.length > 2 && at - (window[1]?.at ?? at) > WINDOW_SECONDS) window.shift();
      const last = state.done >= state.total;
      if (!last && at - shownAt < every) return;
      shownAt = at;
      const line = lineOf(state, options, window[0] as { at: number; done: number }, at);
      if (terminal.live) terminal.overwrite(line);
      else terminal.note(line);
    },
    end() {
      if (terminal.live) terminal.overwrite('');
    },
  };
}

function lineOf({ done, total, text, unitsEach = 1 }: ProgressState, { label, unit }: ProgressOptions, from: { at: number; done: number }, at: number): string {
  const share = total > 0 ? Math.floor((100 * done) / total) : 100;
  const seconds = at - from.at;
  const rate = seconds > 0 ? (done - from.done) / seconds : 0;
  const speed = rate > 0 ? `  ${rateText(rate * unitsEach)} ${unit}/s  ${durationText((total - done) / rate)} left` : '';
  return `${label}  ${done}/${total} (${share} %)  ${text}${speed}`;
}

const rateText = (rate: number): string => (rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(3));
