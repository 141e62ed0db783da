import { describe, expect, it } from 'vitest';
import { provenanceSection, type ProvenanceOfRun } from './provenance-section.js';

const words = (markup: string): string => markup.replace(/<[^>]+>/g, ' ').replace(/&nbsp;/g, ' ').replace(/\s+/g, ' ');
const run = (environments: ProvenanceOfRun['environments'], letter = 'A'): ProvenanceOfRun => ({ letter, name: `run ${letter}`, configText: 'seed: 0\n', environments });
const WHOLE = {
  created: '2030-01-01T00:00:00.000Z',
  engine: { kind: 'graph', description: 'graph: CPU', precision: 'bf16' },
  host: { system: 'linux 6', processor: 'a processor', threads: 2, memoryGiB: 8 },
  git: { project: { commit: 'a'.repeat(40), dirty: false }, mimlab: { commit: 'b'.repeat(40), dirty: true } },
  versions: { node: '22', '@mimlab/core': '0.1.0' },
};

describe('the environment of runs', () => {
  it('has every fact that was recorded', () => {
    const text = words(provenanceSection([run([WHOLE])]).markup);
    for (const fact of ['Begun 2030-01-01T00:00:00.000Z', 'Engine graph: CPU', 'Precision bf16', 'Processor a processor, 2 threads, 8 GiB', 'System linux 6', 'Git commit of the project aaaaaaaaaaaa ', 'Git commit of mimlab bbbbbbbbbbbb, with changes', 'Versions node 22, @mimlab/core 0.1.0']) expect(text).toContain(fact);
    expect(text).not.toContain('aaaaaaaaaaaa, with changes');
  });

  it('has dashes where an early version recorded nothing, and where a run has none', () => {
    const text = words(provenanceSection([run([WHOLE]), run([{}], 'B'), run([], 'C')]).markup);
    expect(text).toContain('Engine graph: CPU – –');
    expect(text).toContain('Git commit of the project aaaaaaaaaaaa not recorded –');
  });

  it('tells of every time that a run was resumed, and of none where it was not', () => {
    const text = words(provenanceSection([run([WHOLE, { created: 'later' }, { engine: WHOLE.engine }]), run([WHOLE], 'B')]).markup);
    expect(text).toContain('A run A was resumed: later (engine not recorded); at a time not recorded (graph: CPU)');
    expect(text).not.toContain('B run B was resumed');
  });

  it('has the whole configuration of each run, as text', () => {
    const { markup } = provenanceSection([{ ...run([]), configText: 'a: <b>\n  c: 1 # & so\n' }]);
    expect(markup).toContain('>a: &lt;b&gt;\n  c: 1 # &amp; so\n</pre>');
  });
});
