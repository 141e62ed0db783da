import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KERNELS } from './trace/kernels/index.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const section = /## Operations that the graph engine knows\n([\s\S]*?)\n## /.exec(readme)?.[1] ?? '';
const listed = /\n\n(Abs[\s\S]*?)\.\n/.exec(section)?.[1]?.split(/,\s+/) ?? [];

describe('the list of operations in README.md', () => {
  it('names every kernel that can be traced, and no other', () => {
    expect(listed).toEqual(Object.keys(KERNELS).sort());
  });
});
