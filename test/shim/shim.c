/*
 * A PKCS#11 module for tests: forwards every call to the real module in PKCS11_SHIM_MODULE, counts it, and misbehaves
 * as the rules in the control file PKCS11_SHIM_CONTROL say. All processes map the same file, so that a rule for "one
 * call" hits one call wherever it comes, and rules can change while the module runs. The file's layout is shared with
 * test/shim/shim.ts, which writes the rules and reads the counts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "pkcs11.h"

/* The functions of CK_FUNCTION_LIST 2.40 in its order, with their numbers of arguments. */
#define FUNCTIONS(F) \
  F(C_Initialize, 1) F(C_Finalize, 1) F(C_GetInfo, 1) F(C_GetFunctionList, 1) F(C_GetSlotList, 3) \
  F(C_GetSlotInfo, 2) F(C_GetTokenInfo, 2) F(C_GetMechanismList, 3) F(C_GetMechanismInfo, 3) F(C_InitToken, 4) \
  F(C_InitPIN, 3) F(C_SetPIN, 5) F(C_OpenSession, 5) F(C_CloseSession, 1) F(C_CloseAllSessions, 1) \
  F(C_GetSessionInfo, 2) F(C_GetOperationState, 3) F(C_SetOperationState, 5) F(C_Login, 4) F(C_Logout, 1) \
  F(C_CreateObject, 4) F(C_CopyObject, 5) F(C_DestroyObject, 2) F(C_GetObjectSize, 3) F(C_GetAttributeValue, 4) \
  F(C_SetAttributeValue, 4) F(C_FindObjectsInit, 3) F(C_FindObjects, 4) F(C_FindObjectsFinal, 1) F(C_EncryptInit, 3) \
  F(C_Encrypt, 5) F(C_EncryptUpdate, 5) F(C_EncryptFinal, 3) F(C_DecryptInit, 3) F(C_Decrypt, 5) \
  F(C_DecryptUpdate, 5) F(C_DecryptFinal, 3) F(C_DigestInit, 2) F(C_Digest, 5) F(C_DigestUpdate, 3) F(C_DigestKey, 2) \
  F(C_DigestFinal, 3) F(C_SignInit, 3) F(C_Sign, 5) F(C_SignUpdate, 3) F(C_SignFinal, 3) F(C_SignRecoverInit, 3) \
  F(C_SignRecover, 5) F(C_VerifyInit, 3) F(C_Verify, 5) F(C_VerifyUpdate, 3) F(C_VerifyFinal, 3) \
  F(C_VerifyRecoverInit, 3) F(C_VerifyRecover, 5) F(C_DigestEncryptUpdate, 5) F(C_DecryptDigestUpdate, 5) \
  F(C_SignEncryptUpdate, 5) F(C_DecryptVerifyUpdate, 5) F(C_GenerateKey, 5) F(C_GenerateKeyPair, 8) F(C_WrapKey, 6) \
  F(C_UnwrapKey, 8) F(C_DeriveKey, 6) F(C_SeedRandom, 3) F(C_GenerateRandom, 3) F(C_GetFunctionStatus, 1) \
  F(C_CancelFunction, 1) F(C_WaitForSlotEvent, 3)

#define NUMBER(name, count) FN_##name,
enum { FUNCTIONS(NUMBER) FUNCTION_COUNT };
_Static_assert(FUNCTION_COUNT == 68, "the function list of PKCS#11 2.40 has 68 entries");

#define MAX_RULES 16
#define MAX_PROCESSES 512

/* The same numbers as ACTIONS in shim.ts. */
enum action {
  RETURN_CODE = 1,   /* argument: CK_RV; the real function isn't called */
  CODE_AFTERWARDS,   /* argument: CK_RV; the real function is called first */
  DELAY,             /* argument: milliseconds before the call */
  HANG,
  SEGFAULT,
  EXIT_PROCESS,      /* argument: exit code */
  DROP_SESSION,      /* really closes the session of the call first */
  LOG_OUT,           /* really logs out first */
  NO_SLOTS,          /* C_GetSlotList */
  TOKEN_FLAGS,       /* C_GetTokenInfo; argument: flags to set */
  LIE,               /* C_GetAttributeValue; argument: attribute type << 8 | the byte to claim */
  OTHER_KEY,         /* C_SignInit: another private key of the same type */
  FLIP_BIT,          /* C_Sign, and the next three */
  TRUNCATE,
  DER_ENCODE,
  ZERO,
  NO_OBJECTS, /* C_FindObjects */
};

struct rule {
  _Atomic uint32_t is_active; /* written last */
  uint32_t function;
  uint32_t action;
  uint32_t process; /* 0: all */
  uint64_t argument;
  uint64_t skip;  /* so many matching calls pass first */
  uint64_t every; /* then each n-th is hit; 1: each */
  uint64_t limit; /* so many hits at most; 0: no limit */
  _Atomic uint64_t seen;
  _Atomic uint64_t hits;
};

struct count {
  _Atomic uint64_t calls;
  _Atomic uint64_t failures; /* calls that returned anything but CKR_OK */
};

/* One for each process that loaded the shim, the latest over the oldest. */
struct process {
  _Atomic uint32_t pid;
  _Atomic uint32_t sessions; /* opened and not closed */
  _Atomic uint32_t most_sessions;
};

struct control {
  struct rule rules[MAX_RULES];
  struct count counts[FUNCTION_COUNT];
  struct process processes[MAX_PROCESSES];
  _Atomic uint32_t process_count;
};

static struct control *control;
static struct process *self;
static void *real[FUNCTION_COUNT];
static CK_FUNCTION_LIST list;

#define REAL(name) ((CK_##name)real[FN_##name])

static void give_up(const char *what) {
  fprintf(stderr, "shim: %s\n", what);
  _exit(70);
}

/* The rule that hits this call, or NULL. A call counts for each rule that matches it, so that rules stay independent. */
static struct rule *find_rule(uint32_t function) {
  struct rule *found = NULL;
  for (int index = 0; index < MAX_RULES; index++) {
    struct rule *rule = &control->rules[index];
    if (!rule->is_active || rule->function != function) continue;
    if (rule->process != 0 && rule->process != (uint32_t)getpid()) continue;
    uint64_t number = rule->seen++;
    if (found != NULL || number < rule->skip || (number - rule->skip) % rule->every != 0) continue;
    if (rule->limit != 0 && (number - rule->skip) / rule->every >= rule->limit) continue;
    rule->hits++;
    found = rule;
  }
  return found;
}

static void delay(uint64_t milliseconds) {
  struct timespec left = {(time_t)(milliseconds / 1000), (long)(milliseconds % 1000) * 1000000};
  while (nanosleep(&left, &left) != 0) continue;
}

/* What happens before the real call. Returns CKR_OK when it is to be made. */
static CK_RV misbehave_before(const struct rule *rule, CK_ULONG first_argument) {
  switch (rule->action) {
    case RETURN_CODE: return rule->argument;
    case DELAY: delay(rule->argument); return CKR_OK;
    case HANG: for (;;) pause();
    case SEGFAULT: signal(SIGSEGV, SIG_DFL); raise(SIGSEGV); return CKR_OK;
    case EXIT_PROCESS: _exit((int)rule->argument);
    case DROP_SESSION:
      if (REAL(C_CloseSession)(first_argument) == CKR_OK) self->sessions--;
      return CKR_OK;
    case LOG_OUT: REAL(C_Logout)(first_argument); return CKR_OK;
    default: return CKR_OK;
  }
}

static CK_OBJECT_HANDLE another_key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key) {
  CK_OBJECT_CLASS object_class = CKO_PRIVATE_KEY;
  CK_KEY_TYPE key_type = 0;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &object_class, sizeof object_class}, {CKA_KEY_TYPE, &key_type, sizeof key_type}};
  CK_OBJECT_HANDLE found[64];
  CK_ULONG count = 0;
  if (REAL(C_GetAttributeValue)(session, key, &template[1], 1) != CKR_OK) return key;
  if (REAL(C_FindObjectsInit)(session, template, 2) != CKR_OK) return key;
  REAL(C_FindObjects)(session, found, 64, &count);
  REAL(C_FindObjectsFinal)(session);
  for (CK_ULONG index = 0; index < count; index++)
    if (found[index] != key) return found[index];
  return key;
}

/* An INTEGER of DER from unsigned big-endian bytes; returns its length. */
static size_t der_integer(unsigned char *out, const unsigned char *bytes, size_t length) {
  while (length > 1 && bytes[0] == 0) bytes++, length--;
  size_t pad = bytes[0] >= 0x80;
  out[0] = 0x02;
  out[1] = (unsigned char)(length + pad);
  out[2] = 0;
  memcpy(out + 2 + pad, bytes, length);
  return 2 + pad + length;
}

static void der_encode(unsigned char *signature, CK_ULONG *length) {
  unsigned char body[256];
  size_t half = *length / 2;
  if (half > 66) return;
  size_t size = der_integer(body, signature, half);
  size += der_integer(body + size, signature + half, half);
  size_t head = 0;
  signature[head++] = 0x30;
  if (size >= 0x80) signature[head++] = 0x81;
  signature[head++] = (unsigned char)size;
  memcpy(signature + head, body, size);
  *length = head + size;
}

static void spoil_signature(const struct rule *rule, CK_BYTE_PTR signature, CK_ULONG_PTR length) {
  if (signature == NULL || *length == 0) return;
  switch (rule->action) {
    case FLIP_BIT: signature[*length / 2] ^= 1; return;
    case TRUNCATE: *length -= 1; return;
    case DER_ENCODE: der_encode(signature, length); return;
    case ZERO: memset(signature, 0, *length); return;
  }
}

static void lie(const struct rule *rule, CK_ATTRIBUTE_PTR attributes, CK_ULONG count) {
  for (CK_ULONG index = 0; index < count; index++) {
    CK_ATTRIBUTE *attribute = &attributes[index];
    if (attribute->type != rule->argument >> 8 || attribute->pValue == NULL) continue;
    if (attribute->ulValueLen == 0 || attribute->ulValueLen == CK_UNAVAILABLE_INFORMATION) continue;
    *(CK_BYTE *)attribute->pValue = (CK_BYTE)rule->argument;
  }
}

/* What happens after the real call succeeded. */
static CK_RV misbehave_after(const struct rule *rule, const CK_ULONG *arguments) {
  switch (rule->action) {
    case CODE_AFTERWARDS: return rule->argument;
    case NO_SLOTS: *(CK_ULONG_PTR)arguments[2] = 0; return CKR_OK;
    case NO_OBJECTS: *(CK_ULONG_PTR)arguments[3] = 0; return CKR_OK;
    case TOKEN_FLAGS: ((CK_TOKEN_INFO_PTR)arguments[1])->flags |= rule->argument; return CKR_OK;
    case LIE: lie(rule, (CK_ATTRIBUTE_PTR)arguments[2], arguments[3]); return CKR_OK;
    case FLIP_BIT:
    case TRUNCATE:
    case DER_ENCODE:
    case ZERO: spoil_signature(rule, (CK_BYTE_PTR)arguments[3], (CK_ULONG_PTR)arguments[4]); return CKR_OK;
    default: return CKR_OK;
  }
}

static void count_sessions(uint32_t function) {
  switch (function) {
    case FN_C_OpenSession: {
      uint32_t sessions = ++self->sessions;
      if (sessions > self->most_sessions) self->most_sessions = sessions;
      return;
    }
    case FN_C_CloseSession: self->sessions--; return;
    case FN_C_CloseAllSessions: /* of one slot: the tests use no other */
    case FN_C_Initialize: self->sessions = 0; return;
    default: return;
  }
}

typedef CK_RV (*forward_function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG);

/* Every argument of PKCS#11 is a pointer, an integer or a byte: on the 64-bit ABIs of Linux all fit a CK_ULONG each. */
static CK_RV call(uint32_t function, CK_ULONG *arguments) {
  control->counts[function].calls++;
  struct rule *rule = find_rule(function);
  CK_RV result = rule == NULL ? CKR_OK : misbehave_before(rule, arguments[0]);
  if (result == CKR_OK) {
    if (rule != NULL && rule->action == OTHER_KEY) arguments[2] = another_key(arguments[0], arguments[2]);
    result = ((forward_function)real[function])(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                                                arguments[5], arguments[6], arguments[7]);
    if (result == CKR_OK) count_sessions(function);
    if (result == CKR_OK && rule != NULL) result = misbehave_after(rule, arguments);
  }
  if (result != CKR_OK) control->counts[function].failures++;
  return result;
}

#define PARAMETERS_1 CK_ULONG a
#define PARAMETERS_2 PARAMETERS_1, CK_ULONG b
#define PARAMETERS_3 PARAMETERS_2, CK_ULONG c
#define PARAMETERS_4 PARAMETERS_3, CK_ULONG d
#define PARAMETERS_5 PARAMETERS_4, CK_ULONG e
#define PARAMETERS_6 PARAMETERS_5, CK_ULONG f
#define PARAMETERS_8 PARAMETERS_6, CK_ULONG g, CK_ULONG h
#define VALUES_1 a
#define VALUES_2 VALUES_1, b
#define VALUES_3 VALUES_2, c
#define VALUES_4 VALUES_3, d
#define VALUES_5 VALUES_4, e
#define VALUES_6 VALUES_5, f
#define VALUES_8 VALUES_6, g, h
#define WRAPPER(name, count) \
  static CK_RV shim_##name(PARAMETERS_##count) { \
    CK_ULONG arguments[8] = {VALUES_##count}; \
    return call(FN_##name, arguments); \
  }
FUNCTIONS(WRAPPER)

#define ADDRESS(name, count) (void *)shim_##name,
static void *const wrappers[FUNCTION_COUNT] = {FUNCTIONS(ADDRESS)};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out);

static void set_up(void) {
  const char *module = getenv("PKCS11_SHIM_MODULE");
  const char *file = getenv("PKCS11_SHIM_CONTROL");
  if (module == NULL || file == NULL) give_up("PKCS11_SHIM_MODULE and PKCS11_SHIM_CONTROL must be set");
  int fd = open(file, O_RDWR | O_CLOEXEC);
  if (fd < 0) give_up("the control file can't be opened");
  control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (control == MAP_FAILED) give_up("the control file can't be mapped");
  self = &control->processes[control->process_count++ % MAX_PROCESSES];
  self->sessions = 0;
  self->most_sessions = 0;
  self->pid = (uint32_t)getpid();
  void *library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
  CK_C_GetFunctionList get_list = library == NULL ? NULL : (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList");
  CK_FUNCTION_LIST_PTR theirs = NULL;
  if (get_list == NULL || get_list(&theirs) != CKR_OK) give_up("the real module can't be loaded");
  memcpy(real, &theirs->C_Initialize, sizeof real);
  real[FN_C_GetFunctionList] = (void *)C_GetFunctionList;
  list.version = theirs->version;
  memcpy(&list.C_Initialize, wrappers, sizeof wrappers);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR out) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, set_up);
  *out = &list;
  return CKR_OK;
}
