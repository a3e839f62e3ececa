/** A proposal by its id, from the list. */
import { KeyturnError } from '../base/errors.ts';
import type { KeyturnClient, Proposal } from '../client/client.ts';
import type { ArgumentSpec } from './command.ts';
import { collectPages } from './paging.ts';

export const PROPOSAL_ARGUMENT: ArgumentSpec = {
  syntax: '<id>',
  description: 'as `keyturn approval list` shows it',
};

export function listProposals(client: KeyturnClient): Promise<readonly Proposal[]> {
  return collectPages(async (page) => {
    const { proposals, nextPageToken } = await client.listProposals(page);
    return { items: proposals, nextPageToken };
  });
}

/** Errors: PROPOSAL_NOT_FOUND. */
export async function requireProposal(client: KeyturnClient, id: string): Promise<Proposal> {
  const proposal = (await listProposals(client)).find((candidate) => candidate.id === id);
  if (proposal !== undefined) return proposal;
  throw new KeyturnError('PROPOSAL_NOT_FOUND', `there is no proposal ${id}`, { field: 'id', subject: id });
}
