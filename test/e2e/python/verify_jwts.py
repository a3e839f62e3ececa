"""Verifies JWTs with two libraries that share no code with keyturn: PyJWT and jwcrypto.

usage: verify_jwts.py JWKS-URL-OR-FILE ISSUER AUDIENCE < jwts
Each line of stdin is a JWT; for each, a line of stdout per library:
{"library", "alg", "kid", "verdict": "verified" | "refused" | "unsupported", "claims"? , "problem"?}
`unsupported`: the library doesn't know the JWT's `alg`, whatever the key.
The first line is {"library", "version", "algorithms"} for each library.
"""
import importlib.metadata
import json
import sys
import urllib.request

import jwt
from jwcrypto import jwk, jws
from jwcrypto import jwt as jwcrypto_jwt

# Written out, never taken from a JWT's own header.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519"]
TIMEOUT_SECONDS = 5

# PyJWT 2.6 has the algorithm under its older name only; RFC 9864's is registered through its public API.
jwt.register_algorithm("Ed25519", jwt.algorithms.OKPAlgorithm())


def read_jwks(source):
    if not source.startswith(("http://", "https://")):
        with open(source, encoding="utf-8") as file:
            return json.load(file)
    with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as response:
        return json.load(response)


class PyJwt:
    name = "PyJWT"
    version = jwt.__version__
    algorithms = [name for name in ALGORITHMS if name in [*jwt.algorithms.get_default_algorithms(), "Ed25519"]]

    def __init__(self, jwks):
        self.jwks = jwks

    def verify(self, token, kid, issuer, audience):
        # Only the key in question: an unknown one beside it must not matter.
        found = [key for key in self.jwks["keys"] if key["kid"] == kid]
        if not found:
            raise LookupError(f"the key set has no key {kid}")
        key = {**found[0], "alg": "EdDSA"} if found[0]["alg"] == "Ed25519" else found[0]
        options = {"require": ["exp", "iat", "iss", "aud"]}
        return jwt.decode(token, jwt.PyJWK(key).key, algorithms=self.algorithms, issuer=issuer, audience=audience, options=options)


class JwCrypto:
    name = "jwcrypto"
    version = importlib.metadata.version("jwcrypto")
    algorithms = [name for name in ALGORITHMS if name in jws.default_allowed_algs]

    def __init__(self, jwks):
        self.keys = jwk.JWKSet.from_json(json.dumps(jwks))

    def verify(self, token, kid, issuer, audience):
        key = self.keys.get_key(kid)
        if key is None:
            raise LookupError(f"the key set has no key {kid}")
        wanted = {"iss": issuer, "aud": audience, "exp": None, "iat": None}
        return json.loads(jwcrypto_jwt.JWT(jwt=token, key=key, algs=self.algorithms, check_claims=wanted).claims)


def judge(library, token, issuer, audience):
    header = jwt.get_unverified_header(token)
    result = {"library": library.name, "alg": header["alg"], "kid": header["kid"]}
    if header["alg"] not in library.algorithms:
        return {**result, "verdict": "unsupported"}
    try:
        return {**result, "verdict": "verified", "claims": library.verify(token, header["kid"], issuer, audience)}
    except Exception as error:  # each library has its own family of them
        return {**result, "verdict": "refused", "problem": f"{type(error).__name__}: {error}"}


def main():
    source, issuer, audience = sys.argv[1:4]
    jwks = read_jwks(source)
    libraries = [PyJwt(jwks), JwCrypto(jwks)]
    for library in libraries:
        print(json.dumps({"library": library.name, "version": library.version, "algorithms": library.algorithms}), flush=True)
    for line in sys.stdin:
        for library in libraries:
            print(json.dumps(judge(library, line.strip(), issuer, audience)), flush=True)


if __name__ == "__main__":
    main()
