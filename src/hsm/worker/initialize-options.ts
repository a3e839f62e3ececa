/** What C_Initialize gets, always. */
import type pkcs11 from 'pkcs11js';

/** CKF_OS_LOCKING_OK: without it, two threads in SoftHSM2 end in a segmentation fault. */
const CKF_OS_LOCKING_OK = 2;

/** The binding drops the last character of the parameters, and takes no undefined for absent. */
export function initializeOptions(parameters: string | undefined): pkcs11.InitializationOptions {
  return { flags: CKF_OS_LOCKING_OK, ...(parameters === undefined ? {} : { libraryParameters: `${parameters} ` }) };
}
