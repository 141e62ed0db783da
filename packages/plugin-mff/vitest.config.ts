import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@mimlab/source'] },
  ssr: { resolve: { conditions: ['@mimlab/source'], externalConditions: ['@mimlab/source'] } },
  test: {
    name: 'plugin-mff',
    include: ['src/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
