// Rounds of several peers in turn: a change of the machine's speed meets all of them.
import { median } from './statistics.mjs';

/** Fewer rounds than this say nothing about spread. */
const LEAST_ROUNDS = 3;

/**
 * Lets each runner work once a round, every other round in reverse order.
 * @param runners by name, each `() => Promise<{ seconds: number[] }>`; the answer may say more
 * @param seconds no round is begun after this time, once three are done
 * @returns by name: median seconds a step of each round, all steps' seconds, and the last answer
 */
export async function interleave(runners, { rounds, seconds, say, clock = () => performance.now() / 1000 }) {
  const names = Object.keys(runners);
  const taken = Object.fromEntries(names.map((name) => [name, { ofRounds: [], steps: [], last: undefined }]));
  const began = clock();
  for (let round = 0; round < rounds; round++) {
    if (round >= LEAST_ROUNDS && clock() - began > seconds) break;
    for (const name of round % 2 === 0 ? names : [...names].reverse()) {
      const answer = await runners[name]();
      taken[name].ofRounds.push(median(answer.seconds));
      taken[name].steps.push(...answer.seconds);
      taken[name].last = answer;
    }
    say(`round ${round + 1} of ${rounds}: ${names.map((name) => `${name} ${taken[name].ofRounds.at(-1).toFixed(3)} s`).join(', ')}`);
  }
  return taken;
}
