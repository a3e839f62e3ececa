/**
 * A planted leak, run over pkcs11-spy: it makes an extractable key pair and reads its private exponent out of the token,
 * as keyturn never may. `leak.ts MODULE PIN-FILE`. Test only.
 */
import { readFileSync } from 'node:fs';
import pkcs11 from 'pkcs11js';

const [moduleFile = '', pinFile = ''] = process.argv.slice(2);
const lib = new pkcs11.PKCS11();
lib.load(moduleFile);
lib.C_Initialize({ flags: 2 });
const slot = lib.C_GetSlotList(true)[0];
if (slot === undefined) throw new Error('no slot');
const session = lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
lib.C_Login(session, pkcs11.CKU_USER, readFileSync(pinFile, 'utf8').trim());
const pair = lib.C_GenerateKeyPair(
  session,
  { mechanism: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN },
  [
    { type: pkcs11.CKA_MODULUS_BITS, value: 1024 },
    { type: pkcs11.CKA_PUBLIC_EXPONENT, value: Buffer.from([1, 0, 1]) },
  ],
  [
    { type: pkcs11.CKA_SENSITIVE, value: false },
    { type: pkcs11.CKA_EXTRACTABLE, value: true },
  ],
);
lib.C_GetAttributeValue(session, pair.privateKey, [{ type: pkcs11.CKA_PRIVATE_EXPONENT }]);
lib.C_Finalize();
