/** Pages of a list that is already ordered by a unique key; the token is the last key given, so pages survive changes. */
import { KeyturnError } from '../base/errors.ts';
import type { Page } from './application.ts';

export const DEFAULT_PAGE_SIZE = 50;
export const MAX_PAGE_SIZE = 100;

export function toPage<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  pageSize: number,
  pageToken: string,
): Page<T> {
  const size = parsePageSize(pageSize);
  const start = pageToken === '' ? 0 : items.findIndex((item) => keyOf(item) === pageToken) + 1;
  if (pageToken !== '' && start === 0) {
    throw invalidToken();
  }
  const page = items.slice(start, start + size);
  const last = page.at(-1);
  return { items: page, nextPageToken: last !== undefined && start + size < items.length ? keyOf(last) : '' };
}

interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** The same for items that are found by number, from the last one down: nothing but the page is looked at. */
export function toNumberedPage<T>(
  lastNumber: number,
  find: (number: number) => T | undefined,
  { pageSize, pageToken }: PageRequest,
): Page<T> {
  const size = parsePageSize(pageSize);
  const before = pageToken === '' ? lastNumber + 1 : Number(pageToken);
  if (pageToken !== '' && (!Number.isInteger(before) || find(before) === undefined)) throw invalidToken();
  const items: T[] = [];
  let token = '';
  for (let number = before - 1; number > 0; number -= 1) {
    const item = find(number);
    if (item === undefined) continue;
    if (items.length === size) return { items, nextPageToken: token };
    items.push(item);
    token = String(number);
  }
  return { items, nextPageToken: '' };
}

function parsePageSize(pageSize: number): number {
  if (!Number.isInteger(pageSize) || pageSize < 0) {
    throw new KeyturnError('FIELD_INVALID', `page_size must be between 0 and ${MAX_PAGE_SIZE}`, { field: 'page_size' });
  }
  return Math.min(pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize, MAX_PAGE_SIZE);
}

function invalidToken(): KeyturnError {
  return new KeyturnError('PAGE_TOKEN_INVALID', 'page_token is not one that this list gave; start again without it', {
    field: 'page_token',
  });
}
