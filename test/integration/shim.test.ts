/** The fault shim itself, over a real SoftHSM2: what it is told to do is what its caller meets, and nothing else. */
import { createHash, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pkcs11 from 'pkcs11js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toNativeFault } from '../../src/hsm/worker/native-fault.ts';
import type { PublicKeyMembers } from '../../src/jose/jwk.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { makeShimmedToken, type ShimmedToken } from '../fixtures/shimmed-token.ts';

const EC_POINT_HEAD_BYTES = 3;
const COORDINATE_BYTES = 32;
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const DIGEST = createHash('sha256').update('input').digest();

interface Pair {
  readonly handle: Buffer;
  readonly members: PublicKeyMembers;
}

let token: ShimmedToken;
let lib: pkcs11.PKCS11;
let slot: Buffer;
let session: Buffer;

/** The module reads the environment of the process that loads it. */
const saved = { ...process.env };

beforeAll(() => {
  token = makeShimmedToken();
  Object.assign(process.env, token.config.environment);
  lib = new pkcs11.PKCS11();
  lib.load(token.config.moduleFile);
  lib.C_Initialize({ flags: 2 });
  slot = only(lib.C_GetSlotList(true).filter((candidate) => lib.C_GetTokenInfo(candidate).label.startsWith('keyturn')));
});

afterAll(() => {
  lib.C_Finalize();
  process.env = saved;
  token.dispose();
});

beforeEach(() => {
  session = lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
  lib.C_Login(session, pkcs11.CKU_USER, readFileSync(token.config.pinFile, 'utf8').trim());
});

afterEach(() => {
  token.shim.clear();
  lib.C_CloseAllSessions(slot);
});

function only<T>(values: readonly T[]): T {
  const [value] = values;
  if (value === undefined || values.length !== 1) throw new Error(`expected one, got ${values.length}`);
  return value;
}

function makePair(): Pair {
  const { privateKey, publicKey } = lib.C_GenerateKeyPair(
    session,
    { mechanism: pkcs11.CKM_EC_KEY_PAIR_GEN },
    [{ type: pkcs11.CKA_EC_PARAMS, value: P256 }],
    [
      { type: pkcs11.CKA_SIGN, value: true },
      { type: pkcs11.CKA_SENSITIVE, value: true },
    ],
  );
  const point = lib.C_GetAttributeValue(session, publicKey, [{ type: pkcs11.CKA_EC_POINT }])[0]?.value as Buffer;
  const xy = point.subarray(EC_POINT_HEAD_BYTES);
  return {
    handle: privateKey,
    members: {
      kty: 'EC',
      crv: 'P-256',
      x: xy.subarray(0, COORDINATE_BYTES).toString('base64url'),
      y: xy.subarray(COORDINATE_BYTES).toString('base64url'),
    },
  };
}

function sign(handle: Buffer): Buffer {
  lib.C_SignInit(session, { mechanism: pkcs11.CKM_ECDSA }, handle);
  return lib.C_Sign(session, DIGEST, Buffer.alloc(256));
}

function isGood({ members }: Pair, signature: Buffer): boolean {
  return verify('sha256', Buffer.from('input'), { key: toPublicKey(members), dsaEncoding: 'ieee-p1363' }, signature);
}

function codeOf(act: () => unknown): number | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return toNativeFault(error).ckr;
  }
}

describe('the shim', () => {
  it('forwards what no rule hits, and counts it', () => {
    const pair = makePair();
    const before = token.shim.calls('C_Sign');
    const signature = sign(pair.handle);
    expect(signature).toHaveLength(64);
    expect(isGood(pair, signature)).toBe(true);
    expect(token.shim.calls('C_Sign')).toBe(before + 1);
    expect(token.shim.failures('C_Sign')).toBe(0);
  });

  it('returns a code for the calls that a rule hits: the second, the fourth, and then no more', () => {
    const rule = token.shim.arm({
      on: 'C_GenerateRandom',
      action: 'returnCode',
      ckr: 0x30,
      skip: 1,
      every: 2,
      limit: 2,
    });
    const codes = Array.from({ length: 6 }, () => codeOf(() => lib.C_GenerateRandom(session, Buffer.alloc(4))));
    expect(codes).toEqual([undefined, 0x30, undefined, 0x30, undefined, undefined]);
    expect(rule.hits()).toBe(2);
    expect(token.shim.failures('C_GenerateRandom')).toBe(2);
  });

  it('hits only the process that a rule names', () => {
    token.shim.arm({ on: 'C_GenerateRandom', action: 'returnCode', ckr: 0x30, pid: process.pid + 1 });
    expect(codeOf(() => lib.C_GenerateRandom(session, Buffer.alloc(4)))).toBeUndefined();
    token.shim.arm({ on: 'C_GenerateRandom', action: 'returnCode', ckr: 0x31, pid: process.pid });
    expect(codeOf(() => lib.C_GenerateRandom(session, Buffer.alloc(4)))).toBe(0x31);
  });

  it('destroys an object and then says that it failed', () => {
    const { handle } = makePair();
    token.shim.arm({ on: 'C_DestroyObject', action: 'codeAfterwards', ckr: 0x30, limit: 1 });
    expect(codeOf(() => lib.C_DestroyObject(session, handle))).toBe(0x30);
    expect(codeOf(() => lib.C_DestroyObject(session, handle))).toBe(0x82);
  });

  it('waits', () => {
    token.shim.arm({ on: 'C_GenerateRandom', action: 'delay', delayMs: 60, limit: 1 });
    const startMs = performance.now();
    lib.C_GenerateRandom(session, Buffer.alloc(4));
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(60);
  });

  it('closes the session, or logs out, for real', () => {
    const { handle } = makePair();
    token.shim.arm({ on: 'C_SignInit', action: 'logOut', limit: 1 });
    expect(codeOf(() => sign(handle))).toBeDefined();
    token.shim.arm({ on: 'C_SignInit', action: 'dropSession', limit: 1 });
    expect(codeOf(() => sign(handle))).toBe(0xb3);
    expect(codeOf(() => lib.C_GetSessionInfo(session))).toBe(0xb3);
  });

  it('tells how many sessions a process had open at a time', () => {
    const before = token.shim.mostSessions().get(process.pid) ?? 0;
    const opened = Array.from({ length: before + 1 }, () => lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION));
    expect(token.shim.mostSessions().get(process.pid)).toBe(before + 2);
    for (const one of opened) lib.C_CloseSession(one);
    lib.C_CloseSession(lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION));
    expect(token.shim.mostSessions().get(process.pid)).toBe(before + 2);
  });

  it('hides the slots', () => {
    const rule = token.shim.arm({ on: 'C_GetSlotList', action: 'noSlots' });
    expect(lib.C_GetSlotList(true)).toEqual([]);
    rule.disarm();
    expect(lib.C_GetSlotList(true).length).toBeGreaterThan(0);
  });

  it('hides the objects', () => {
    makePair();
    const search = (): number => {
      lib.C_FindObjectsInit(session, [{ type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PRIVATE_KEY }]);
      const found = lib.C_FindObjects(session, 100);
      lib.C_FindObjectsFinal(session);
      return found.length;
    };
    const rule = token.shim.arm({ on: 'C_FindObjects', action: 'noObjects' });
    expect(search()).toBe(0);
    rule.disarm();
    expect(search()).toBeGreaterThan(0);
  });

  it('claims that the PIN is locked', () => {
    token.shim.arm({ on: 'C_GetTokenInfo', action: 'tokenFlags', flags: pkcs11.CKF_USER_PIN_LOCKED });
    expect(lib.C_GetTokenInfo(slot).flags & pkcs11.CKF_USER_PIN_LOCKED).not.toBe(0);
  });

  it('lies about an attribute', () => {
    const { handle } = makePair();
    const read = (): unknown => lib.C_GetAttributeValue(session, handle, [{ type: pkcs11.CKA_SENSITIVE }])[0]?.value;
    expect(read()).toEqual(Buffer.from([1]));
    token.shim.arm({ on: 'C_GetAttributeValue', action: 'lie', attribute: pkcs11.CKA_SENSITIVE, byte: 0 });
    expect(read()).toEqual(Buffer.from([0]));
  });

  it.each(['flipBit', 'truncate', 'derEncode', 'zero', 'otherKey'] as const)('spoils a signature: %s', (action) => {
    const pair = makePair();
    const other = makePair();
    token.shim.arm({ on: action === 'otherKey' ? 'C_SignInit' : 'C_Sign', action, limit: 1 });
    const spoiled = Buffer.from(sign(pair.handle));
    expect(isGood(pair, spoiled)).toBe(false);
    if (action === 'truncate') expect(spoiled).toHaveLength(63);
    if (action === 'zero') expect(spoiled).toEqual(Buffer.alloc(64));
    if (action === 'otherKey') expect(isGood(other, spoiled)).toBe(true);
    if (action === 'derEncode') {
      const isDerGood = verify('sha256', Buffer.from('input'), toPublicKey(pair.members), spoiled);
      expect(isDerGood).toBe(true);
    }
    expect(isGood(pair, sign(pair.handle))).toBe(true);
  });

  it('refuses a function that PKCS#11 does not have, and a rule too many', () => {
    expect(() => token.shim.arm({ on: 'C_Sing', action: 'hang' })).toThrow('no function C_Sing');
    const armed = Array.from({ length: 16 }, () => token.shim.arm({ on: 'C_Digest', action: 'hang' }));
    expect(() => token.shim.arm({ on: 'C_Digest', action: 'hang' })).toThrow('room for 16');
    armed[3]?.disarm();
    token.shim.arm({ on: 'C_Digest', action: 'hang' });
  });
});
