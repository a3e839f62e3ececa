"""Verifies an audit log by docs/reference/audit.md alone: no code of keyturn, Debian's cryptography for the signatures.

usage: verify_audit.py DIRECTORY [KEY.jwk] [SEQ:HASH]
Prints one JSON object: {"verified", "entries", "head", "checkpoints", "signedThrough"} or {"verified": false, "entry", "problem"}.
"""
import base64
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

CONTEXT = b"keyturn audit checkpoint v1\n"
NO_HASH = "A" * 43


class Bad(Exception):
    def __init__(self, entry, problem):
        super().__init__(problem)
        self.entry = entry


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        raise ValueError("not canonical base64url")
    return data


def once(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is there twice")
    return members


def thumbprint(jwk):
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return encode(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())


def is_signed(jwk, data, signature):
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(decode(jwk["x"]), "big"), int.from_bytes(decode(jwk["y"]), "big"), ec.SECP256R1())
    raw = decode(signature)
    if len(raw) != 64:
        return False
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        numbers.public_key().verify(der, data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def check_checkpoint(entry, trusted, hash_of):
    """Returns the sequence that it signs for."""
    seq, jwk, kid = entry["seq"], entry["publicKey"], entry["kid"]
    signed = {name: entry[name] for name in ("head", "signedTime", "kid", "publicKey", "formerKid") if name in entry}
    data = CONTEXT + json.dumps(signed, separators=(",", ":"), ensure_ascii=False).encode()
    if thumbprint(jwk) != kid:
        raise Bad(seq, "kid is not the thumbprint of publicKey")
    if not is_signed(jwk, data, entry["signature"]):
        raise Bad(seq, "the signature is wrong")
    if trusted is not None and trusted["kid"] != kid:
        if entry.get("formerKid") != trusted["kid"] or not is_signed(trusted["jwk"], data, entry["formerSignature"]):
            raise Bad(seq, "the key before didn't sign for this one")
    number, digest = entry["head"].split(":")
    if hash_of.get(int(number), digest) != digest:
        raise Bad(int(number), f"checkpoint {seq} signs another entry {number}")
    return int(number)


def lines_of(directory):
    for file in sorted(pathlib.Path(directory).iterdir()):
        if re.fullmatch(r"\d{16}\.jsonl", file.name):
            with file.open("rb") as lines:
                yield from lines


def verify(directory, key, head):
    before, digest, hash_of, trusted, checkpoints, signed, is_found = 0, NO_HASH, {}, None, 0, None, False
    for line in lines_of(directory):
        if not line.endswith(b"\n"):
            continue
        line = line[:-1]
        try:
            entry = json.loads(line.decode("utf-8"), object_pairs_hook=once)
        except ValueError as error:
            raise Bad(before + 1, str(error)) from error
        if entry["seq"] != before + 1:
            raise Bad(before + 1, f"entry {entry['seq']} is in its place")
        if entry["prev"] != digest:
            raise Bad(before, "prev of the next entry is not its hash")
        before, digest = entry["seq"], encode(hashlib.sha256(line).digest())
        hash_of[before] = digest
        if entry["kind"] == "CHECKPOINT":
            through = check_checkpoint(entry, trusted, hash_of)
            trusted = {"kid": entry["kid"], "jwk": entry["publicKey"]}
            checkpoints += 1
            is_found = is_found or key is not None and thumbprint(key) in (entry["kid"], entry.get("formerKid"))
            signed = through if is_found else signed
        if head is not None and head[0] == before and head[1] != digest:
            raise Bad(before, "it is not the one of the head")
    if head is not None and head[0] > before:
        raise Bad(before + 1, "the log ends before the head")
    if key is not None and not is_found:
        raise Bad(1, "no checkpoint is by the key")
    return {"verified": True, "entries": before, "head": f"{before}:{digest}", "checkpoints": checkpoints, "signedThrough": signed}


def main():
    directory, *rest = sys.argv[1:]
    heads = [word.split(":") for word in rest if re.fullmatch(r"\d+:[\w-]{43}", word)]
    keys = [json.loads(pathlib.Path(word).read_text()) for word in rest if not re.fullmatch(r"\d+:[\w-]{43}", word)]
    head = (int(heads[0][0]), heads[0][1]) if heads else None
    try:
        result = verify(directory, keys[0] if keys else None, head)
    except Bad as bad:
        result = {"verified": False, "entry": bad.entry, "problem": str(bad)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
