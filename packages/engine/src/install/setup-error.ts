import { EngineError } from '@mimlab/core';

/** A tool that set-up needs is not on this machine. Everything that does not need the missing part goes on working. */
export class MissingToolError extends EngineError {
  constructor(tools: readonly string[], lost: string, works: string, packages: string) {
    super(`${tools.join(' and ')} ${tools.length === 1 ? 'is' : 'are'} missing: ${lost}; ${works}`, {
      place: 'set-up',
      remedy: `Get ${tools.length === 1 ? 'it' : 'them'} with 'apt install ${packages}' or the like, then run 'npm run setup'.`,
    });
  }
}

/** An error in one line, its remedy as a sentence of its own: for progress output. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/([.!?:;,]?)\s*\n\s*/g, (_, mark: string) => `${mark || '.'} `);
}
