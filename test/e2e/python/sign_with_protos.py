"""Signs JWTs over mTLS, knowing nothing but the proto files: they are compiled at run time by Debian's grpc_tools.

usage: sign_with_protos.py ADDRESS CA CERTIFICATE PRIVATE-KEY PROTO-DIRECTORY < requests
Each line of stdin is a JSON object {"signingKey", "claims", "typ"?, "lifetimeSeconds"?}; for each, a line of stdout is
{"jwt", "kid", "expireTime"} or {"code", "reason", "message"}. A list of such objects is signed in one call, and its line
is {"results": [...]}.
"""
import importlib
import json
import os
import sys
import tempfile

import grpc
from grpc_tools import protoc

from grpc_tls import DEADLINE_SECONDS, open_channel, reason_in, reason_of

PROTOS = ["keyturn/v1/signing_service.proto", "google/rpc/status.proto"]


def compile_protos(proto_directory, output):
    well_known = os.path.join(os.path.dirname(importlib.import_module("grpc_tools").__file__), "_proto")
    arguments = ["protoc", f"-I{proto_directory}", f"-I{well_known}", f"--python_out={output}", f"--grpc_python_out={output}", *PROTOS]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, output)
    return importlib.import_module("keyturn.v1.signing_service_pb2"), importlib.import_module("keyturn.v1.signing_service_pb2_grpc")


def to_request(messages, wanted):
    request = messages.SignJwtRequest(
        signing_key=wanted["signingKey"],
        claims=json.dumps(wanted["claims"]).encode(),
        typ=wanted.get("typ", ""),
    )
    if "lifetimeSeconds" in wanted:
        request.lifetime.FromSeconds(wanted["lifetimeSeconds"])
    return request


def from_answer(answer):
    return {"jwt": answer.jwt, "kid": answer.kid, "expireTime": answer.expire_time.ToJsonString()}


def from_result(result):
    if result.WhichOneof("outcome") == "signed":
        return from_answer(result.signed)
    error = result.error
    code = next(code.name for code in grpc.StatusCode if code.value[0] == error.code)
    reason = reason_in((detail.type_url, detail.value) for detail in error.details)
    return {"code": code, "reason": reason, "message": error.message}


def sign(stub, messages, wanted):
    try:
        if isinstance(wanted, list):
            request = messages.BatchSignJwtRequest(requests=[to_request(messages, one) for one in wanted])
            answer = stub.BatchSignJwt(request, timeout=DEADLINE_SECONDS)
            return {"results": [from_result(result) for result in answer.results]}
        return from_answer(stub.SignJwt(to_request(messages, wanted), timeout=DEADLINE_SECONDS))
    except grpc.RpcError as error:
        return {"code": error.code().name, "reason": reason_of(error), "message": error.details()}


def main():
    address, ca, certificate, private_key, proto_directory = sys.argv[1:6]
    with tempfile.TemporaryDirectory() as output:
        messages, services = compile_protos(proto_directory, output)
        with open_channel(address, ca, certificate, private_key) as channel:
            stub = services.SigningServiceStub(channel)
            for line in sys.stdin:
                print(json.dumps(sign(stub, messages, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
