/**
 * The sources that a simulation runs: the project's own, or a copy of them with one rule taken out. Everything of src
 * that the simulation calls comes through here, so that a copy is used whole and never mixed with the original.
 */
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import type * as AuditedStoreFile from '../../src/app/audited-store.ts';
import type * as KeyturnFile from '../../src/app/keyturn.ts';
import type * as LedgerFile from '../../src/app/ledger.ts';
import type * as ErrorsFile from '../../src/base/errors.ts';
import type * as ConfigFile from '../../src/config/config-schema.ts';
import type * as PolicyFile from '../../src/lifecycle/policy.ts';

export interface SourceModules {
  readonly Keyturn: typeof KeyturnFile.Keyturn;
  readonly AuditedStore: typeof AuditedStoreFile.AuditedStore;
  readonly Ledger: typeof LedgerFile.Ledger;
  readonly KeyturnError: typeof ErrorsFile.KeyturnError;
  readonly policy: typeof PolicyFile;
  readonly keySetSchema: typeof ConfigFile.keySetSchema;
}

/** `folder` holds `app`, `lifecycle` and so on, as src does. */
export async function loadSources(folder: string): Promise<SourceModules> {
  const load = async <T>(file: string): Promise<T> => (await import(pathToFileURL(join(folder, file)).href)) as T;
  const [keyturn, auditedStore, ledger, errors, policy, config] = await Promise.all([
    load<typeof KeyturnFile>('app/keyturn.ts'),
    load<typeof AuditedStoreFile>('app/audited-store.ts'),
    load<typeof LedgerFile>('app/ledger.ts'),
    load<typeof ErrorsFile>('base/errors.ts'),
    load<typeof PolicyFile>('lifecycle/policy.ts'),
    load<typeof ConfigFile>('config/config-schema.ts'),
  ]);
  return {
    Keyturn: keyturn.Keyturn,
    AuditedStore: auditedStore.AuditedStore,
    Ledger: ledger.Ledger,
    KeyturnError: errors.KeyturnError,
    policy,
    keySetSchema: config.keySetSchema,
  };
}
