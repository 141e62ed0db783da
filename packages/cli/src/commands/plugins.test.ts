import type { InstalledPlugin } from '@mimlab/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recordedTerminal } from '../terminal.test-support.js';
import { aligned, plugins, pluginTable } from './plugins.js';

const plugin = (changed: object): InstalledPlugin => ({ package: 'mimlab-plugin-grey', version: '1.2.3', ...changed }) as InstalledPlugin;

describe('the table of plugins', () => {
  it('has a line for each, its hooks and its paper', () => {
    const grey = plugin({ name: 'grey', kind: 'method', core: '^0.1.0', hooks: ['sampler', 'target'], paper: 'arXiv:1' });
    expect(pluginTable([grey])).toEqual(['name  kind    version  core    hooks            paper', 'grey  method  1.2.3    ^0.1.0  sampler, target  arXiv:1']);
  });

  it('names the package of one that cannot be used, and the first line of why', () => {
    expect(pluginTable([plugin({ problem: 'needs core ^2\n  at somewhere' })])[1]).toBe('mimlab-plugin-grey  cannot be used  1.2.3    ?     needs core ^2');
  });

  it('asks after what a plugin does not say', () => {
    expect(pluginTable([plugin({ version: undefined })])[1]?.split(/ +/)).toEqual(['?', '?', '?', '?', '?', '?']);
  });

  it('says how to get one where there is none', () => {
    expect(pluginTable([])).toEqual(['No plugin is installed. Install one with npm, or name one by its path.']);
  });
});

it('plugins can be had as JSON, each with its package', async () => {
  const terminal = recordedTerminal();
  await plugins({ json: true }, terminal);
  const found = JSON.parse(terminal.lines.join('\n')) as InstalledPlugin[];
  expect(found.find(({ name }) => name === 'mae')).toMatchObject({ package: '@mimlab/plugin-mae', kind: 'method' });
  expect(found.filter(({ problem }) => problem !== undefined)).toEqual([]);
});

describe('columns', () => {
  it('are as wide as their widest cell, with nothing behind the last', () => {
    expect(aligned([['a', 'b'], ['long', ''], ['', 'c']])).toEqual(['a     b', 'long', '      c']);
  });

  it('of nothing are nothing', () => {
    expect(aligned([])).toEqual([]);
  });

  it('begin at the same place in every line', () => {
    const word = fc.stringMatching(/^[a-z]{1,5}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(word, word), { minLength: 1, maxLength: 5 }), (rows) => {
        const at = Math.max(...rows.map(([first]) => first.length)) + 2;
        aligned(rows).forEach((line, i) => {
          expect(line.slice(at)).toBe(rows[i]?.[1]);
        });
      }),
    );
  });
});
