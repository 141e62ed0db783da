import { CompositionError, type Branch, type Encoder } from '@mimlab/core';

/**
 * Mask tokens in cells that the encoder saw go with decoders that get hidden tokens as mask tokens and predict token by
 * token: elsewhere a cell that stands twice would count twice.
 * @throws CompositionError
 */
export function refuseRepeats(encoder: Encoder, branches: readonly Branch[]): void {
  const remedy = `Set variant: count-matched, under which every token stands once.`;
  const refuse = (problem: string): never => {
    throw new CompositionError(problem, { place: 'pr-mim.variant', remedy });
  };
  if (Object.values(encoder.features).some(({ cells }) => cells !== 'visible')) refuse('the running cell as released repeats visible tokens, and this encoder takes hidden tokens itself');
  const mixing = branches.find(({ tokenwise }) => !tokenwise);
  if (mixing !== undefined) refuse(`the running cell as released repeats visible tokens, and branch '${mixing.name}' does not predict token by token`);
}
