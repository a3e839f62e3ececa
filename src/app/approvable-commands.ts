/** The commands that can wait for approval: what each would do, and how it is done when it is approved. */
import type { CallerName } from '../base/ids.ts';
import { type AdministerPorts } from './administer.ts';
import { ofCompromise, ofImport, ofRecovery, ofRemoval, ofResolution } from './effects.ts';
import type { Imports } from './imports.ts';
import { declareCompromised } from './interrupt.ts';
import type { ProposedCommand } from './proposals.ts';
import type { Reconciler } from './reconciler.ts';
import { recover, type RecoverPorts } from './recover.ts';

export interface ApprovableCommand {
  /** What it would do now. Errors: those of the command itself. */
  effect(): Promise<readonly string[]>;
  /** Does it. `check` gets the effect at the last moment before that takes hold, and may refuse. */
  run(check: (effect: readonly string[]) => void): Promise<void>;
}

export interface ApprovablePorts {
  readonly administering: AdministerPorts;
  readonly imports: Pick<Imports, 'importPublicKey' | 'removePublicKey'>;
  readonly reconciler: Pick<Reconciler, 'requireUnexplained' | 'resolve'>;
  readonly recovering: RecoverPorts;
}

/** Where a command's own record of who gave it says the proposer. */
export interface Origin {
  readonly proposer: CallerName;
  /** A UUID; of the proposal. */
  readonly id: string;
  /** When a proof that came with it was fresh; undefined: it must be now. */
  readonly proposedAtMs: number | undefined;
}

export function toApprovable(ports: ApprovablePorts, proposed: ProposedCommand, origin: Origin): ApprovableCommand {
  const { proposer, id: requestId, proposedAtMs } = origin;
  switch (proposed.method) {
    case 'DeclareCompromised': {
      const { retain } = proposed.command;
      const command = { ...proposed.command, validateOnly: false, requestId };
      return {
        async effect() {
          const preview = { ...command, validateOnly: true, requestId: '' };
          return ofCompromise(await declareCompromised(ports.administering, proposer, preview), retain);
        },
        async run(check) {
          await declareCompromised(ports.administering, proposer, command, (effects) => {
            check(ofCompromise(effects, retain));
          });
        },
      };
    }
    case 'ImportPublicKey': {
      const command = { ...proposed.command, jwk: Buffer.from(proposed.command.jwk), validateOnly: false };
      const how = { provenAtMs: proposedAtMs };
      return {
        async effect() {
          return ofImport(await ports.imports.importPublicKey(proposer, { ...command, validateOnly: true }, how));
        },
        async run(check) {
          await ports.imports.importPublicKey(proposer, command, {
            ...how,
            check: (outcome) => {
              check(ofImport(outcome));
            },
          });
        },
      };
    }
    case 'RemovePublicKey': {
      const { compromised } = proposed.command;
      return {
        async effect() {
          const preview = { ...proposed.command, validateOnly: true };
          return ofRemoval(await ports.imports.removePublicKey(proposer, preview), compromised);
        },
        async run(check) {
          const command = { ...proposed.command, validateOnly: false };
          await ports.imports.removePublicKey(proposer, command, (outcome) => {
            check(ofRemoval(outcome, compromised));
          });
        },
      };
    }
    case 'ResolveObject': {
      const { ckaId, action } = proposed.command;
      return {
        async effect() {
          return ofResolution(await ports.reconciler.requireUnexplained(ckaId), action);
        },
        async run(check) {
          await ports.reconciler.resolve(proposer, proposed.command, (finding) => {
            check(ofResolution(finding, action));
          });
        },
      };
    }
    case 'Recover': {
      return {
        async effect() {
          const preview = { ...proposed.command, validateOnly: true, etag: '' };
          return ofRecovery(await recover(ports.recovering, proposer, preview));
        },
        async run(check) {
          const command = { ...proposed.command, validateOnly: false, etag: '' };
          await recover(ports.recovering, proposer, command, (view) => {
            check(ofRecovery(view));
          });
        },
      };
    }
  }
}
