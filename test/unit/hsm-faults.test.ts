import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CKR_UNKNOWN, classifyFault, FAULT_ROWS, nameFault } from '../../src/hsm/faults.ts';

/** OASIS' own header of PKCS#11 2.40, as the binding brings it. */
const HEADER = readFileSync(new URL('../../node_modules/pkcs11js/includes/pkcs11/pkcs11t.h', import.meta.url), 'utf8');
/** What 3.0 to 3.2 added (pkcs11t.h of 3.2). */
const SINCE_3_0 = {
  CKR_AEAD_DECRYPT_FAILED: 0x42,
  CKR_TOKEN_RESOURCE_EXCEEDED: 0x201,
  CKR_OPERATION_CANCEL_FAILED: 0x202,
  CKR_KEY_EXHAUSTED: 0x203,
  CKR_PENDING: 0x204,
  CKR_SESSION_ASYNC_NOT_SUPPORTED: 0x205,
  CKR_SEED_RANDOM_REQUIRED: 0x206,
  CKR_OPERATION_NOT_VALIDATED: 0x207,
  CKR_TOKEN_NOT_INITIALIZED: 0x208,
  CKR_PARAMETER_SET_NOT_SUPPORTED: 0x209,
};

describe('the fault table', () => {
  it('has every code of the standard once, with its number', () => {
    const header = [...HEADER.matchAll(/#define (CKR_\w+)\s+0x([0-9a-fA-F]+)UL/g)].map(
      ([, name = '', digits = '']) => [name, Number.parseInt(digits, 16)] as const,
    );
    const standard = new Map<string, number>([...header, ...Object.entries(SINCE_3_0)]);
    expect(header.length).toBeGreaterThan(90);
    standard.delete('CKR_OK');
    standard.delete('CKR_VENDOR_DEFINED');
    expect(FAULT_ROWS).toHaveLength(standard.size);
    expect(Object.fromEntries(FAULT_ROWS.map(({ name, ckr }) => [name, ckr]))).toEqual(Object.fromEntries(standard));
    expect(new Set(FAULT_ROWS.map(({ ckr }) => ckr)).size).toBe(FAULT_ROWS.length);
  });

  it.each([
    [0x21, 'requestFault', 'CKR_DATA_LEN_RANGE (0x21)'],
    [0x90, 'evictSession', 'CKR_OPERATION_ACTIVE (0x90)'],
    [0x101, 'login', 'CKR_USER_NOT_LOGGED_IN (0x101)'],
    [0x82, 'findHandle', 'CKR_OBJECT_HANDLE_INVALID (0x82)'],
    [0x30, 'reinitialise', 'CKR_DEVICE_ERROR (0x30)'],
    [0xa4, 'operator', 'CKR_PIN_LOCKED (0xa4)'],
  ])('knows 0x%s', (ckr, faultClass, name) => {
    expect(classifyFault(ckr)).toBe(faultClass);
    expect(nameFault(ckr)).toBe(name);
  });

  it('takes a vendor code and an error without a code for one that says nothing', () => {
    expect(classifyFault(0x8000_0001)).toBe(classifyFault(0x05));
    expect(nameFault(0x8000_0001)).toBe('0x80000001');
    expect(classifyFault(CKR_UNKNOWN)).toBe(classifyFault(0x05));
  });
});
