#!/usr/bin/env python3
"""spy-check.py LOG...: fails if a pkcs11-spy log shows that private key material left the token, or could have.

Findings: a secret attribute that was returned; a wrap, copy, derivation or operation state; a key template that allows
extraction or isn't sensitive. Threads interleave their lines in the log, so this reads lines, not blocks. Prints one JSON
object; exit code 1 when there are findings, 2 when the logs hold no call at all (then nothing was checked).
"""
import json
import re
import sys

SECRET_ATTRIBUTES = {
    "CKA_VALUE",
    "CKA_PRIVATE_EXPONENT",
    "CKA_PRIME_1",
    "CKA_PRIME_2",
    "CKA_EXPONENT_1",
    "CKA_EXPONENT_2",
    "CKA_COEFFICIENT",
}
FORBIDDEN_CALLS = {"C_WrapKey", "C_GetOperationState", "C_CopyObject", "C_DeriveKey"}
TEMPLATE_CALLS = {"C_GenerateKeyPair", "C_GenerateKey", "C_CreateObject", "C_UnwrapKey", "C_SetAttributeValue"}
MAX_FINDINGS = 20

CALL = re.compile(r"^\d+: (C_\w+)")
ATTRIBUTE = re.compile(r"^\s+(CKA_\w+)\s+(\S.*)$")
LENGTH = re.compile(r"/ (-?\d+)\s*$")


def is_returned(value):
    """`[out] CKA_X  <pointer> / <n>`: -1 was refused, 0 is a length query, more is the value itself."""
    length = LENGTH.search(value)
    return length is None or int(length[1]) > 0


def allows_extraction(name, value):
    return (name == "CKA_EXTRACTABLE" and "True" in value) or (name == "CKA_SENSITIVE" and "False" in value)


def check(path, calls, findings):
    side = None
    call = ""
    with open(path, errors="replace") as log:
        for number, line in enumerate(log, 1):
            where = f"{path}:{number}"
            started = CALL.match(line)
            if started:
                call, side = started[1], None
                calls[call] = calls.get(call, 0) + 1
                if call in FORBIDDEN_CALLS:
                    findings.append(f"{where}: {call}")
                continue
            if line.startswith("[in]"):
                side = "in"
            elif line.startswith("[out]"):
                side = "out"
            attribute = ATTRIBUTE.match(line)
            if not attribute:
                continue
            name, value = attribute[1], attribute[2].strip()
            if name in SECRET_ATTRIBUTES and side == "out" and is_returned(value):
                findings.append(f"{where}: {name} returned by {call}")
            if side == "in" and call in TEMPLATE_CALLS and allows_extraction(name, value):
                findings.append(f"{where}: {name} in the template of {call}")


def main():
    calls, findings = {}, []
    for path in sys.argv[1:]:
        check(path, calls, findings)
    total = sum(calls.values())
    print(json.dumps({"logs": len(sys.argv) - 1, "calls": total, "byFunction": calls, "findings": findings[:MAX_FINDINGS]}))
    if total == 0:
        return 2
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
