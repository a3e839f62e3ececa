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
  if (!Number.isInteger(pageSize) || pageSize < 0) {
    throw new KeyturnError('FIELD_INVALID', `page_size must be between 0 and ${MAX_PAGE_SIZE}`, { field: 'page_size' });
  }
  const size = Math.min(pageSize === 0 ? DEFAULT_PAGE_SIZE : pageSize, MAX_PAGE_SIZE);
  const start = pageToken === '' ? 0 : items.findIndex((item) => keyOf(item) === pageToken) + 1;
  if (pageToken !== '' && start === 0) {
    throw new KeyturnError('PAGE_TOKEN_INVALID', 'page_token is not one that this list gave; start again without it', {
      field: 'page_token',
    });
  }
  const page = items.slice(start, start + size);
  const last = page.at(-1);
  return { items: page, nextPageToken: last !== undefined && start + size < items.length ? keyOf(last) : '' };
}
