"""Verifies a JWT against a JWKS with PyJWT: a verifier that shares no code with keyturn.

usage: verify_with_pyjwt.py JWKS-URL-OR-FILE ISSUER AUDIENCE < jwt
Prints the claims as JSON; exit code 0 when the JWT is good.
"""
import json
import sys
import urllib.request

import jwt

# Those that this verifier accepts: never what the JWT's own header says.
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
TIMEOUT_SECONDS = 5


def read_jwks(source):
    if source.startswith(("http://", "https://")):
        with urllib.request.urlopen(source, timeout=TIMEOUT_SECONDS) as response:
            return json.load(response)
    with open(source, encoding="utf-8") as file:
        return json.load(file)


def main():
    source, issuer, audience = sys.argv[1:4]
    token = sys.stdin.read().strip()
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        jwk = next((jwk for jwk in read_jwks(source)["keys"] if jwk["kid"] == kid), None)
        if jwk is None:
            sys.exit(f"PyJWT: the key set has no key {kid}")
        claims = jwt.decode(
            token,
            jwt.PyJWK.from_dict(jwk).key,
            # The key's own algorithm and no other.
            algorithms=[jwk["alg"]] if jwk["alg"] in ALGORITHMS else [],
            issuer=issuer,
            audience=audience,
            options={"require": ["exp", "iss", "aud"]},
        )
    except jwt.PyJWTError as error:
        sys.exit(f"PyJWT: {type(error).__name__}: {error}")
    print(json.dumps(claims, separators=(",", ":")))


if __name__ == "__main__":
    main()
