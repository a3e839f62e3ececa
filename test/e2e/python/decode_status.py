"""Decodes google.rpc.Status with Google's own protobuf, compiled at run time from the given proto directory.

usage: decode_status.py PROTO-DIRECTORY < bytes
stdout: one JSON object {"code", "message", "details": [{"@type", ...}, ...]}.
"""
import importlib
import json
import os
import sys
import tempfile

from google.protobuf import json_format
from grpc_tools import protoc

PROTOS = ["google/rpc/status.proto", "google/rpc/error_details.proto"]


def main():
    proto_directory = sys.argv[1]
    well_known = os.path.join(os.path.dirname(importlib.import_module("grpc_tools").__file__), "_proto")
    with tempfile.TemporaryDirectory() as output:
        if protoc.main(["protoc", f"-I{proto_directory}", f"-I{well_known}", f"--python_out={output}", *PROTOS]) != 0:
            sys.exit("protoc failed")
        # The installed package `google` is there already: the compiled modules join it.
        import google

        google.__path__.append(os.path.join(output, "google"))
        status_pb2 = importlib.import_module("google.rpc.status_pb2")
        importlib.import_module("google.rpc.error_details_pb2")
        status = status_pb2.Status.FromString(sys.stdin.buffer.read())
        print(json.dumps(json_format.MessageToDict(status)))


if __name__ == "__main__":
    main()
