/** Memory and descriptors of the daemon and its workers over time, and whether they grow. */
import { descriptorsOf, residentMiB } from '../../test/fixtures/proc.ts';

interface Sample {
  readonly daemonMiB: number;
  readonly daemonDescriptors: number;
  /** Of the largest worker; they come and go. */
  readonly workerMiB: number;
  readonly workerDescriptors: number;
}

export class MemoryLog {
  readonly #samples: Sample[] = [];

  /** Nothing when one of the processes ends meanwhile. */
  look(daemonPid: number, workerPids: readonly number[]): void {
    if (workerPids.length === 0) return;
    try {
      this.#samples.push({
        daemonMiB: residentMiB(daemonPid),
        daemonDescriptors: descriptorsOf(daemonPid),
        workerMiB: Math.max(...workerPids.map(residentMiB)),
        workerDescriptors: Math.max(...workerPids.map(descriptorsOf)),
      });
    } catch {
      // a worker was replaced
    }
  }

  /** The middle values of each quarter of the time. */
  quarters(): readonly Sample[] {
    return [0, 1, 2, 3].map((quarter) => {
      const { length } = this.#samples;
      const samples = this.#samples.slice(Math.floor((length * quarter) / 4), Math.floor((length * (quarter + 1)) / 4));
      const middle = (name: keyof Sample): number =>
        samples.map((sample) => sample[name]).toSorted((left, right) => left - right)[samples.length >> 1] ??
        Number.NaN;
      return {
        daemonMiB: middle('daemonMiB'),
        daemonDescriptors: middle('daemonDescriptors'),
        workerMiB: middle('workerMiB'),
        workerDescriptors: middle('workerDescriptors'),
      };
    });
  }

  /** From the second quarter to the last: the first is for warming up. */
  growth(name: keyof Sample): number {
    const [, second, , last] = this.quarters();
    return (last?.[name] ?? Number.NaN) - (second?.[name] ?? Number.NaN);
  }
}
