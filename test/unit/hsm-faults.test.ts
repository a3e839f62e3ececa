import { describe, expect, it } from 'vitest';
import { CKR_UNKNOWN, classifyFault, nameFault } from '../../src/hsm/faults.ts';

describe('the fault table', () => {
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

  it('takes a vendor code and an error without a code for a broken module', () => {
    expect(classifyFault(0x8000_0001)).toBe('restartWorker');
    expect(nameFault(0x8000_0001)).toBe('0x80000001');
    expect(classifyFault(CKR_UNKNOWN)).toBe('restartWorker');
  });
});
