"""A caching verifier: PyJWT's own PyJWKClient over HTTP, as a service would use it.

usage: pyjwt_client.py JWKS-URL ISSUER AUDIENCE CACHE-SECONDS < lines of "ID JWT"
For each line of stdin, a line of stdout: "ID ok" or "ID problem".
"""
import sys

import jwt


def main():
    url, issuer, audience, cache_seconds = sys.argv[1:5]
    client = jwt.PyJWKClient(url, cache_keys=False, cache_jwk_set=True, lifespan=float(cache_seconds))
    for line in sys.stdin:
        identifier, token = line.split()
        try:
            key = client.get_signing_key_from_jwt(token).key
            jwt.decode(token, key, algorithms=["ES256"], issuer=issuer, audience=audience, leeway=0)
            verdict = "ok"
        except Exception as error:  # every failure is a finding
            verdict = f"{type(error).__name__}: {error}".replace("\n", " ")
        print(identifier, verdict, flush=True)


if __name__ == "__main__":
    main()
