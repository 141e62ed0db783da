import type { CorruptionResult, CorruptionSummary } from './corruption-error.js';

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const hundreds = (share: number): string => (100 * share).toFixed(1);

/** What a person is told about corrupted images: `details` of the protocol `robustness`. */
export function corruptionLines({ inC }: Readonly<Record<string, unknown>>): string[] {
  if (inC === undefined) return [];
  const { meanError, mCE, relativeMCE, corruptions, missing } = inC as CorruptionSummary;
  const width = Math.max(...Object.keys(corruptions).map((name) => name.length));
  const line = (name: string, { error, severities, ce }: CorruptionResult): string => {
    const each = Object.entries(severities).map(([severity, value]) => `${severity}: ${percent(value)}`);
    return `  ${name.padEnd(width)}  ${percent(error)}${ce === undefined ? '' : `, CE ${hundreds(ce)}`}  (${each.join(', ')})`;
  };
  return [
    `inC: mean error ${percent(meanError)}${mCE === undefined ? '' : `, mCE ${hundreds(mCE)}`}${relativeMCE === undefined ? '' : `, relative mCE ${hundreds(relativeMCE)}`}${mCE === undefined ? '' : ' (AlexNet: 100)'}`,
    ...Object.entries(corruptions).map(([name, result]) => line(name, result)),
    ...(missing.length === 0 ? [] : [`  not measured: ${missing.join(', ')}`]),
  ];
}
