/** `token-flags.ts MODULE LABEL [PARAMETERS]`: what a token says of its user PIN, told without logging in. */
import pkcs11 from 'pkcs11js';
import { initializeOptions } from '../../src/hsm/worker/initialize-options.ts';
import { unpad } from '../../src/hsm/worker/unpad.ts';

const [moduleFile = '', label = '', parameters] = process.argv.slice(2);
const FLAGS = {
  USER_PIN_COUNT_LOW: pkcs11.CKF_USER_PIN_COUNT_LOW,
  USER_PIN_FINAL_TRY: pkcs11.CKF_USER_PIN_FINAL_TRY,
  USER_PIN_LOCKED: pkcs11.CKF_USER_PIN_LOCKED,
};

const lib = new pkcs11.PKCS11();
lib.load(moduleFile);
lib.C_Initialize(initializeOptions(parameters));
const info = lib.C_GetSlotList(true).map((slot) => lib.C_GetTokenInfo(slot));
const flags = info.find((token) => unpad(token.label) === label)?.flags;
if (flags === undefined) throw new Error(`the module shows no token ${label}`);
const names = Object.entries(FLAGS).flatMap(([name, bit]) => ((flags & bit) === 0 ? [] : [name]));
process.stdout.write(`${JSON.stringify(names)}\n`);
