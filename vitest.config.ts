import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { projects: ['packages/*/vitest.config.ts', 'integration/vitest.config.ts', 'bench/vitest.config.ts'], maxWorkers: 2 },
});
