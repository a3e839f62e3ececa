/** For commands that go on until somebody ends them: SIGTERM and SIGINT as an AbortSignal. */
import { MessageChannel } from 'node:worker_threads';

/** The process stays until `run` is over, though nothing but a timer may be going on. */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, interrupt);
  const { port1: stay } = new MessageChannel();
  stay.ref();
  try {
    return await run(interruption.signal);
  } finally {
    stay.close();
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.off(name, interrupt);
  }
}
