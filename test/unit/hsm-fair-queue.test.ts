import { describe, expect, it } from 'vitest';
import { parseCallerName } from '../../src/base/ids.ts';
import { FairQueue } from '../../src/hsm/fair-queue.ts';

const [a, b, c] = [parseCallerName('a'), parseCallerName('b'), parseCallerName('c')];

/** Nothing is displaced. */
function makeQueue<T>(capacity: number): FairQueue<T> {
  return new FairQueue<T>(capacity, () => {
    throw new Error('displaced');
  });
}

function drain<T>(queue: FairQueue<T>): T[] {
  const items: T[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

describe('the queue of sign requests', () => {
  it('lets callers take turns, however much one of them asks for', () => {
    const queue = makeQueue<string>(100);
    for (const item of ['a1', 'a2', 'a3', 'a4']) queue.push(a, item);
    queue.push(b, 'b1');
    queue.push(c, 'c1');
    queue.push(b, 'b2');
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
  });

  it('takes exactly as many as its capacity over all callers', () => {
    const queue = makeQueue<number>(2);
    expect([queue.push(a, 1), queue.push(b, 2), queue.push(a, 3), queue.push(c, 4)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(queue.size).toBe(2);
    queue.shift();
    expect(queue.push(c, 5)).toBe(true);
  });

  it('puts what comes back in front of everyone, in its order, though it is full', () => {
    const queue = makeQueue<number>(1);
    queue.push(a, 3);
    queue.putBack(1);
    queue.putBack(2);
    expect(queue.push(b, 4)).toBe(false);
    expect(drain(queue)).toEqual([1, 2, 3]);
    expect(queue.size).toBe(0);
  });

  it('gives room back for what is no longer wanted', () => {
    const queue = makeQueue<number>(4);
    for (const item of [1, 2, 3]) queue.push(a, item);
    queue.push(b, 4);
    queue.putBack(5);
    queue.retain((item) => item % 2 === 0);
    expect(queue.size).toBe(2);
    expect(drain(queue)).toEqual([2, 4]);
  });

  it('that is full makes room for whoever has less in it, at the cost of the newest of whoever has most', () => {
    const displaced: string[] = [];
    const queue = new FairQueue<string>(6, (item) => displaced.push(item));
    for (let count = 1; count <= 8; count += 1) queue.push(a, `a${count}`);
    expect(['b1', 'b2', 'b3', 'b4'].map((item) => queue.push(b, item))).toEqual([true, true, true, false]);
    expect([queue.push(c, 'c1'), queue.push(c, 'c2'), queue.push(c, 'c3')]).toEqual([true, true, false]);
    expect(displaced.map((item) => item[0])).toEqual(['a', 'a', 'a', 'a', 'b']);
    expect(displaced.slice(0, 3)).toEqual(['a6', 'a5', 'a4']);
    expect(queue.size).toBe(6);
    expect(drain(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2']);
  });

  it('has room for every caller in turn, however many others flood it', () => {
    const displaced: number[] = [];
    const queue = new FairQueue<number>(100, (item) => displaced.push(item));
    for (let item = 0; item < 1_000; item += 1) for (const flooder of [a, b]) queue.push(flooder, item);
    expect(queue.push(c, -1)).toBe(true);
    expect(drain(queue).slice(0, 3)).toContain(-1);
    expect(displaced).toHaveLength(1);
  });
});
