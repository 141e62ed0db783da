import { durationText } from '../duration.js';
import type { Terminal } from '../terminal.js';
import type { GridRecord } from './run-jobs.js';

/** Seconds between plain lines where nobody watches a terminal. */
const PLAIN_EVERY = 60;

/** Tells how far a grid is: one live line on a terminal; elsewhere a line for every job that ends and now and then one between. */
export function gridReporter(terminal: Terminal, now: () => number = () => performance.now() / 1000): { readonly report: (record: GridRecord) => void; end(): void } {
  let shownAt = -Infinity;
  return {
    report(record) {
      if (record.kind === 'finished') {
        terminal.note(`${record.done}/${record.total}  ${record.job.title}, ${durationText(record.seconds)}`);
        return;
      }
      const { done, total, running, secondsLeft } = record;
      if (running.length === 0) return;
      const at = now();
      if (!terminal.live && at - shownAt < PLAIN_EVERY) return;
      shownAt = at;
      const jobs = running.map(({ title, share }) => `${title} ${Math.floor(100 * share)} %`).join(', ');
      const line = `${done}/${total} done  ${secondsLeft === undefined ? '' : `${durationText(secondsLeft)} left  `}${jobs}`;
      if (terminal.live) terminal.overwrite(line);
      else terminal.note(line);
    },
    end() {
      if (terminal.live) terminal.overwrite('');
    },
  };
}
