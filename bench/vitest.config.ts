import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'bench',
    include: ['*.test.mjs'],
    pool: 'forks',
    testTimeout: 60_000,
  },
});
