/**
 * Chance for the simulation, seeded twice over: a stream of draws for making a scenario, and draws by name for what
 * happens while it runs. A draw by name doesn't depend on how many came before it, so that a scenario which loses one
 * of its happenings keeps the luck of all others: shrinking needs that.
 */

/** Finalizer of MurmurHash3: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** 32 bits that depend on all of the numbers and their order. */
export function drawOf(...names: readonly number[]): number {
  let bits = 0x9e3779b9;
  for (const name of names) bits = mix(bits ^ mix((name | 0) + Math.imul(Math.floor(name / 2 ** 32), 31)) ^ 0x27d4eb2f);
  return bits;
}

/** In [0, 1). */
export function fractionOf(...names: readonly number[]): number {
  return drawOf(...names) / 2 ** 32;
}

export class Prng {
  readonly #seed: number;
  #count = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** In [0, 1). */
  fraction(): number {
    this.#count += 1;
    return fractionOf(this.#seed, this.#count);
  }

  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Between the two, every order of magnitude as likely as the next. */
  logarithmic(least: number, most: number): number {
    return least * (most / least) ** this.fraction();
  }

  /** In proportion to the weights. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.fraction() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    const last = choices.at(-1);
    if (last === undefined) throw new RangeError('nothing to choose from');
    return last[1];
  }
}
