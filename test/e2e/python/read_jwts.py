"""Reads JWTs, one a line on stdin, and writes what Python's json makes of their headers and claims, one a line.

The form is that of test/fixtures/json-readings.ts: names in order, numbers as the bits of a double, strings in
hexadecimal. A number that no double holds, and a name that is there twice, are said so.
"""

import base64
import json
import struct
import sys


def render(value):
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        if int(float(value)) != value:
            return "inexact"
        return render(float(value))
    if isinstance(value, float):
        return "n" + struct.pack(">d", value).hex()
    if isinstance(value, str):
        return "s" + value.encode("utf-8").hex()
    if isinstance(value, list):
        return "[" + ",".join(render(item) for item in value) + "]"
    names = sorted((name.encode("utf-8").hex(), name) for name in value)
    return "{" + ",".join(f"{encoded}:{render(value[name])}" for encoded, name in names) + "}"


def once(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def read(part):
    text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode("utf-8")
    json.loads(text, object_pairs_hook=once)
    return json.loads(text)


for line in sys.stdin:
    header, payload, _ = line.strip().split(".")
    try:
        claims = read(payload)
        seen = {"header": render(read(header)), "claims": render(claims)}
        for name in ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope"):
            seen[name] = render(claims.get(name))
    except ValueError as error:
        seen = {"problem": str(error)}
    print(json.dumps(seen))
