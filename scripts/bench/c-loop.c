/*
 * c-loop MODULE TOKEN-LABEL PIN-FILE KEY-LABEL ALG THREADS SECONDS
 * Signs with one key of a PKCS#11 token as fast as the module can: one session per thread, no checks, no protocol.
 * The yardstick for `npm run bench`. Prints one line: signatures seconds.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "pkcs11.h"

static CK_FUNCTION_LIST_PTR p11;
static CK_SLOT_ID slot;
static const char *key_label;
static CK_MECHANISM mechanism;
static CK_BYTE data[64];
static CK_ULONG data_length;
static atomic_int stop;
static atomic_long total;

static void check(CK_RV rv, const char *what) {
  if (rv == CKR_OK) return;
  fprintf(stderr, "error: %s returned 0x%lx\n", what, (unsigned long)rv);
  exit(1);
}

static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session) {
  CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
  CK_ATTRIBUTE template[] = {{CKA_CLASS, &private_key, sizeof private_key}, {CKA_LABEL, (void *)key_label, strlen(key_label)}};
  CK_OBJECT_HANDLE found[2];
  CK_ULONG count = 0;
  check(p11->C_FindObjectsInit(session, template, 2), "C_FindObjectsInit");
  check(p11->C_FindObjects(session, found, 2, &count), "C_FindObjects");
  check(p11->C_FindObjectsFinal(session), "C_FindObjectsFinal");
  if (count != 1) {
    fprintf(stderr, "error: %lu private keys are labelled %s, expected one\n", count, key_label);
    exit(1);
  }
  return found[0];
}

static void *sign_loop(void *unused) {
  (void)unused;
  CK_SESSION_HANDLE session;
  check(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), "C_OpenSession");
  CK_OBJECT_HANDLE key = find_key(session);
  CK_BYTE signature[1024];
  long count = 0;
  while (!stop) {
    CK_ULONG length = sizeof signature;
    check(p11->C_SignInit(session, &mechanism, key), "C_SignInit");
    check(p11->C_Sign(session, data, data_length, signature, &length), "C_Sign");
    count++;
  }
  total += count;
  return NULL;
}

static void find_slot(const char *label) {
  CK_SLOT_ID slots[64];
  CK_ULONG count = 64;
  check(p11->C_GetSlotList(CK_TRUE, slots, &count), "C_GetSlotList");
  for (CK_ULONG i = 0; i < count; i++) {
    CK_TOKEN_INFO info;
    check(p11->C_GetTokenInfo(slots[i], &info), "C_GetTokenInfo");
    if (strncmp((const char *)info.label, label, strlen(label)) == 0 && (strlen(label) == 32 || info.label[strlen(label)] == ' ')) {
      slot = slots[i];
      return;
    }
  }
  fprintf(stderr, "error: no token is labelled %s\n", label);
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fprintf(stderr, "usage: c-loop MODULE TOKEN-LABEL PIN-FILE KEY-LABEL ES256|RS256 THREADS SECONDS\n");
    return 2;
  }
  key_label = argv[4];
  void *module = dlopen(argv[1], RTLD_NOW);
  CK_C_GetFunctionList get = module == NULL ? NULL : (CK_C_GetFunctionList)dlsym(module, "C_GetFunctionList");
  if (get == NULL || get(&p11) != CKR_OK) {
    fprintf(stderr, "error: %s is not a PKCS#11 module\n", argv[1]);
    return 1;
  }
  char pin[256] = {0};
  FILE *file = fopen(argv[3], "r");
  if (file == NULL || fgets(pin, sizeof pin, file) == NULL) {
    fprintf(stderr, "error: the PIN file cannot be read\n");
    return 1;
  }
  fclose(file);
  pin[strcspn(pin, "\r\n")] = '\0';

  /* The hash of nothing in particular; for RS256 in its DigestInfo. */
  static const CK_BYTE digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
  if (strcmp(argv[5], "RS256") == 0) {
    memcpy(data, digest_info, sizeof digest_info);
    data_length = sizeof digest_info + 32;
    mechanism.mechanism = CKM_RSA_PKCS;
  } else {
    data_length = 32;
    mechanism.mechanism = CKM_ECDSA;
  }

  CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
  check(p11->C_Initialize(&arguments), "C_Initialize");
  find_slot(argv[2]);
  CK_SESSION_HANDLE login;
  check(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &login), "C_OpenSession");
  check(p11->C_Login(login, CKU_USER, (CK_UTF8CHAR_PTR)pin, strlen(pin)), "C_Login");

  int threads = atoi(argv[6]);
  double seconds = atof(argv[7]);
  pthread_t ids[64];
  if (threads < 1 || threads > 64) return 2;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, sign_loop, NULL);
  struct timespec pause = {(time_t)seconds, (long)((seconds - (time_t)seconds) * 1e9)};
  nanosleep(&pause, NULL);
  stop = 1;
  for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL);
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%ld %.6f\n", (long)total, (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
  check(p11->C_Finalize(NULL), "C_Finalize");
  return 0;
}
