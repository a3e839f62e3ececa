/** Every command, in the order of the help. docs/reference/cli.md lists the same ones; test/tidy compares. */
import { auditCheckpointCommand } from './audit-checkpoint.ts';
import { auditCopyCommand } from './audit-copy.ts';
import { auditForwardCommand } from './audit-forward.ts';
import { auditHeadCommand } from './audit-head.ts';
import { auditKeyCommand } from './audit-key.ts';
import { auditReportCommand } from './audit-report.ts';
import { auditShowCommand } from './audit-show.ts';
import { auditTailCommand } from './audit-tail.ts';
import { auditVerifyCommand } from './audit-verify.ts';
import { accessCheckCommand } from './access-check.ts';
import { accessExplainCommand } from './access-explain.ts';
import { accessTestCommand } from './access-test.ts';
import { backupCommand } from './backup.ts';
import type { CommandSpec } from './command.ts';
import { applyCommand } from './apply.ts';
import { approvalApproveCommand } from './approval-approve.ts';
import { approvalCancelCommand } from './approval-cancel.ts';
import { approvalListCommand } from './approval-list.ts';
import { approvalShowCommand } from './approval-show.ts';
import { clockConfirmCommand } from './clock-confirm.ts';
import { clockStatusCommand } from './clock-status.ts';
import { configCheckCommand } from './config-check.ts';
import { doctorCommand } from './doctor.ts';
import { initCommand } from './init.ts';
import { jwksExportCommand } from './jwks-export.ts';
import { jwksImportCommand } from './jwks-import.ts';
import { jwksListCommand } from './jwks-list.ts';
import { jwksProofCommand } from './jwks-proof.ts';
import { jwksRemoveCommand } from './jwks-remove.ts';
import { jwksShowCommand } from './jwks-show.ts';
import { keyApplyCommand } from './key-apply.ts';
import { keyDeclareCompromisedCommand } from './key-declare-compromised.ts';
import { keyListCommand } from './key-list.ts';
import { keyReactivateCommand } from './key-reactivate.ts';
import { keyRetireCommand } from './key-retire.ts';
import { keyRollbackCommand } from './key-rollback.ts';
import { keyRotateCommand } from './key-rotate.ts';
import { keyShowCommand } from './key-show.ts';
import { keySuspendCommand } from './key-suspend.ts';
import { keyUnretireCommand } from './key-unretire.ts';
import { planCommand } from './plan.ts';
import { recoverCommand } from './recover.ts';
import { restoreCommand } from './restore.ts';
import { serveCommand } from './serve.ts';
import { signCommand } from './sign.ts';
import { tokenDeclareCompromisedCommand } from './token-declare-compromised.ts';
import { tokenReconcileCommand } from './token-reconcile.ts';
import { tokenResolveCommand } from './token-resolve.ts';
import { tokenRetryLoginCommand } from './token-retry-login.ts';
import { tokenStatusCommand } from './token-status.ts';
import { verifyCommand } from './verify.ts';

/** First words that only gather commands. */
export const COMMAND_GROUPS: ReadonlyMap<string, string> = new Map([
  ['config', 'look after the configuration'],
  ['access', 'the access policy: check it, ask it, test it'],
  ['key', 'make, inspect and rotate signing keys, and withdraw their versions'],
  ['jwks', 'public keys as verifiers get them, those of an old signer included'],
  ['token', 'the PKCS#11 token and its HSM workers'],
  ['audit', 'the audit log: copied from the daemon, verified, searched and reported on from its files'],
  ['approval', 'commands that several security officers must agree on'],
  ['clock', 'the wall clock, and whether it is believed'],
]);

export const COMMANDS: readonly CommandSpec[] = [
  initCommand,
  serveCommand,
  configCheckCommand,
  accessCheckCommand,
  accessExplainCommand,
  accessTestCommand,
  doctorCommand,
  applyCommand,
  planCommand,
  keyApplyCommand,
  keyListCommand,
  keyShowCommand,
  keyRotateCommand,
  keyRollbackCommand,
  keySuspendCommand,
  keyReactivateCommand,
  keyRetireCommand,
  keyUnretireCommand,
  keyDeclareCompromisedCommand,
  signCommand,
  jwksShowCommand,
  jwksExportCommand,
  jwksProofCommand,
  jwksImportCommand,
  jwksListCommand,
  jwksRemoveCommand,
  verifyCommand,
  tokenStatusCommand,
  tokenRetryLoginCommand,
  tokenReconcileCommand,
  tokenResolveCommand,
  tokenDeclareCompromisedCommand,
  approvalListCommand,
  approvalShowCommand,
  approvalApproveCommand,
  approvalCancelCommand,
  clockStatusCommand,
  clockConfirmCommand,
  auditCheckpointCommand,
  auditCopyCommand,
  auditVerifyCommand,
  auditReportCommand,
  auditShowCommand,
  auditTailCommand,
  auditForwardCommand,
  auditHeadCommand,
  auditKeyCommand,
  backupCommand,
  restoreCommand,
  recoverCommand,
];
