/** Collects every page of a listing. */
import { KeyturnError } from '../base/errors.ts';

const PAGE_SIZE = 100;
/** More pages than any installation fills: a daemon that never ends its listing must not hang the command. */
const MAX_PAGES = 1_000;

interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken: string;
}

export async function collectPages<T>(
  fetchPage: (page: { readonly pageSize: number; readonly pageToken: string }) => Promise<Page<T>>,
): Promise<T[]> {
  const items: T[] = [];
  let pageToken = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const answer = await fetchPage({ pageSize: PAGE_SIZE, pageToken });
    items.push(...answer.items);
    if (answer.nextPageToken === '') return items;
    pageToken = answer.nextPageToken;
  }
  throw new KeyturnError('INTERNAL', `the listing has more than ${MAX_PAGES} pages`);
}
