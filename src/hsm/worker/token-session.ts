/**
 * One session of one thread, and the handles that it found. Everything here is synchronous: the binding's asynchronous
 * calls use freed memory, and a session may have one operation at a time anyway.
 *
 * A handle belongs to its process, initialisation and session: it goes with each of them (unless the session is only
 * opened anew after a fault that was the request's), and before its object is destroyed (`forget`). It is never found but by CKA_ID and class, exactly one: on several tokens a stale handle signs
 * with another key and says CKR_OK.
 */
import pkcs11 from 'pkcs11js';
import { type Algorithm, specOf } from '../../jose/algorithms.ts';
import { CKA_ID_BYTES, LABEL_PREFIX } from '../wire.ts';
import { initializeOptions } from './initialize-options.ts';
import { signMechanism } from './mechanisms.ts';
import { type NativeFault, toNativeFault } from './native-fault.ts';
import type { OwnLogin } from './thread-settings.ts';
import { unpad } from './unpad.ts';

/** Handles asked for at a time in a search. */
const FIND_BATCH = 256;
/** More than the longest signature: ML-DSA-87 has 4,627 bytes. */
const MAX_SIGNATURE_BYTES = 5_120;

export interface FoundObject {
  readonly handle: Buffer;
  readonly ckaId: string;
  readonly ckaLabel: string;
}

/** A CKA_ID that is on several private keys: which of them would sign is anybody's guess, so none does. */
export const SEVERAL = Symbol('several');

export class TokenSession {
  readonly lib = new pkcs11.PKCS11();
  readonly #flags: number;
  readonly #handles = new Map<string, Buffer | typeof SEVERAL>();
  readonly #signature = Buffer.alloc(MAX_SIGNATURE_BYTES);
  #isLoaded = false;
  #isInitialised = false;
  #slot: Buffer | undefined;
  #session: Buffer | undefined;

  constructor(access: 'readOnly' | 'readWrite') {
    this.#flags = pkcs11.CKF_SERIAL_SESSION | (access === 'readWrite' ? pkcs11.CKF_RW_SESSION : 0);
  }

  /** Once, before anything else. The module must have been initialised by this process already. */
  load(moduleFile: string): void {
    if (!this.#isLoaded) this.lib.load(moduleFile);
    this.#isLoaded = true;
  }

  /**
   * Where each loading of the module is a client of its own. The session that is logged in stays open, because the login
   * ends with the last one.
   */
  logIn(slot: Buffer, { moduleParameters, serial, pin }: OwnLogin): void {
    try {
      if (this.#isInitialised) this.lib.C_Finalize();
    } catch {
      // A client that lost its token often can't even end; what follows shows whether it can begin.
    }
    this.lib.C_Initialize(initializeOptions(moduleParameters));
    this.#isInitialised = true;
    if (unpad(this.lib.C_GetTokenInfo(slot).serialNumber) !== serial) throw new Error('CKR_TOKEN_NOT_RECOGNIZED:225');
    this.lib.C_Login(this.lib.C_OpenSession(slot, this.#flags), pkcs11.CKU_USER, Buffer.from(pin).toString('utf8'));
  }

  open(slot: Buffer): void {
    this.#slot = slot;
    this.#session = this.lib.C_OpenSession(slot, this.#flags);
  }

  get session(): Buffer {
    if (this.#session === undefined) throw new Error('CKR_SESSION_CLOSED:176');
    return this.#session;
  }

  /**
   * After any failed operation: what the failure left active in the session must not meet the next request.
   * Returns why the session could not be opened again.
   */
  reopen({ keepsHandles }: { readonly keepsHandles: boolean }): NativeFault | undefined {
    const slot = this.#slot;
    const handles = keepsHandles ? [...this.#handles] : [];
    this.close();
    try {
      if (slot === undefined) throw new Error('CKR_SESSION_CLOSED:176');
      this.open(slot);
      for (const [ckaId, handle] of handles) this.#handles.set(ckaId, handle);
      return undefined;
    } catch (error) {
      return toNativeFault(error);
    }
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    this.#handles.clear();
    if (session === undefined) return;
    try {
      this.lib.C_CloseSession(session);
    } catch {
      // It is given up either way.
    }
  }

  /** All private keys of ours in one search. Returns the CKA_IDs that are on more than one. */
  sweep(): readonly string[] {
    this.#handles.clear();
    const duplicates = new Set<string>();
    for (const { ckaId, handle } of this.findOurs(pkcs11.CKO_PRIVATE_KEY)) {
      if (this.#handles.has(ckaId)) duplicates.add(ckaId);
      this.#handles.set(ckaId, this.#handles.has(ckaId) ? SEVERAL : handle);
    }
    return [...duplicates];
  }

  /** Searches one key again; undefined when it isn't there. */
  find(ckaId: string): Buffer | typeof SEVERAL | undefined {
    this.#handles.delete(ckaId);
    const found = this.findById(pkcs11.CKO_PRIVATE_KEY, ckaId);
    const [handle] = found;
    if (handle === undefined) return undefined;
    const entry = found.length === 1 ? handle : SEVERAL;
    this.#handles.set(ckaId, entry);
    return entry;
  }

  handleOf(ckaId: string): Buffer | typeof SEVERAL | undefined {
    return this.#handles.get(ckaId);
  }

  forget(ckaId: string): void {
    this.#handles.delete(ckaId);
  }

  /** The answer is a view that the next signature overwrites. */
  sign(algorithm: Algorithm, handle: Buffer, tokenInput: Buffer): Buffer {
    this.lib.C_SignInit(this.session, signMechanism(specOf(algorithm)), handle);
    return this.lib.C_Sign(this.session, tokenInput, this.#signature);
  }

  findById(objectClass: number, ckaId: string): readonly Buffer[] {
    return this.#search([
      { type: pkcs11.CKA_CLASS, value: objectClass },
      { type: pkcs11.CKA_TOKEN, value: true },
      { type: pkcs11.CKA_ID, value: Buffer.from(ckaId, 'hex') },
    ]);
  }

  /** Objects of a class whose label and id are of our making. */
  findOurs(objectClass: number): readonly FoundObject[] {
    const template = [
      { type: pkcs11.CKA_CLASS, value: objectClass },
      { type: pkcs11.CKA_TOKEN, value: true },
    ];
    const ours: FoundObject[] = [];
    for (const handle of this.#search(template)) {
      const [label, id] = this.#readTwo(handle, pkcs11.CKA_LABEL, pkcs11.CKA_ID);
      const ckaLabel = label?.toString('utf8') ?? '';
      if (!ckaLabel.startsWith(LABEL_PREFIX)) continue;
      if (id?.length === CKA_ID_BYTES) ours.push({ handle, ckaId: id.toString('hex'), ckaLabel });
    }
    return ours;
  }

  /** One attribute at a time, since one unknown or sensitive one fails a whole call. Undefined: not readable. */
  readAttribute(handle: Buffer, type: number): Buffer | undefined {
    try {
      const value = this.lib.C_GetAttributeValue(this.session, handle, [{ type }])[0]?.value;
      return Buffer.isBuffer(value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** In one call where that works: a sweep asks thousands of objects. */
  #readTwo(handle: Buffer, first: number, second: number): readonly (Buffer | undefined)[] {
    try {
      const attributes = this.lib.C_GetAttributeValue(this.session, handle, [{ type: first }, { type: second }]);
      return attributes.map(({ value }) => (Buffer.isBuffer(value) ? value : undefined));
    } catch {
      return [this.readAttribute(handle, first), this.readAttribute(handle, second)];
    }
  }

  #search(template: pkcs11.Template): readonly Buffer[] {
    this.lib.C_FindObjectsInit(this.session, template);
    const found: Buffer[] = [];
    for (;;) {
      const batch = this.lib.C_FindObjects(this.session, FIND_BATCH);
      found.push(...batch);
      if (batch.length < FIND_BATCH) break;
    }
    this.lib.C_FindObjectsFinal(this.session);
    return found;
  }
}
