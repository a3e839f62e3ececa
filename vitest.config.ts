import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/{unit,property,contract,tidy}/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['test/{integration,e2e,cli}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Each file has daemons of its own and mostly waits for them; the machines that run this have two cores.
          maxWorkers: 2,
          maxConcurrency: 3,
        },
      },
      {
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          testTimeout: 180_000,
          // Each test is a process of its own.
          maxConcurrency: 2,
        },
      },
      {
        // After the slow project, on the logs that it left: see test/spy/spy-log.test.ts.
        test: { name: 'spy', include: ['test/spy/**/*.test.ts'], testTimeout: 60_000 },
      },
    ],
  },
});
