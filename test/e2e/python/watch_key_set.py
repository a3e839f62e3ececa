"""Watches the key set `default` over mTLS, knowing nothing but the proto files: compiled at run time by Debian's grpc_tools.

usage: watch_key_set.py ADDRESS CA CERTIFICATE PRIVATE-KEY PROTO-DIRECTORY COUNT
For each of the first COUNT messages, a line of stdout is {"generation", "kids", "maxAgeSeconds", "etag"}; then it hangs up.
A stream that ends before gives {"code", "reason"}.
"""
import importlib
import json
import os
import sys
import tempfile

import grpc
from grpc_tools import protoc

from grpc_tls import open_channel, reason_of

PROTO = "keyturn/v1/key_set_service.proto"
STREAM_SECONDS = 60


def compile_protos(proto_directory, output):
    well_known = os.path.join(os.path.dirname(importlib.import_module("grpc_tools").__file__), "_proto")
    arguments = ["protoc", f"-I{proto_directory}", f"-I{well_known}", f"--python_out={output}", f"--grpc_python_out={output}", PROTO]
    if protoc.main(arguments) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, output)
    return importlib.import_module("keyturn.v1.key_set_service_pb2"), importlib.import_module("keyturn.v1.key_set_service_pb2_grpc")


def watch(stub, messages, count):
    stream = stub.WatchKeySet(messages.WatchKeySetRequest(), timeout=STREAM_SECONDS)
    try:
        for answer in stream:
            yield {
                "generation": answer.generation,
                "kids": [key["kid"] for key in json.loads(answer.jwks)["keys"]],
                "maxAgeSeconds": answer.max_age.seconds,
                "etag": answer.etag,
            }
            count -= 1
            if count == 0:
                stream.cancel()
                return
    except grpc.RpcError as error:
        yield {"code": error.code().name, "reason": reason_of(error)}


def main():
    address, ca, certificate, private_key, proto_directory, count = sys.argv[1:7]
    with tempfile.TemporaryDirectory() as output:
        messages, services = compile_protos(proto_directory, output)
        with open_channel(address, ca, certificate, private_key) as channel:
            for line in watch(services.KeySetServiceStub(channel), messages, int(count)):
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
