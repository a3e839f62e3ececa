"""Lists the daemon's services and signs a JWT without any proto file of keyturn: everything comes by server reflection.

usage: sign_by_reflection.py ADDRESS CA CERTIFICATE PRIVATE-KEY < requests
stdout: first {"services": {name: [method, ...]}}, then a line for each request line, as sign_with_protos.py does.
"""
import importlib
import json
import os
import sys
import tempfile

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_tools import protoc

from grpc_tls import DEADLINE_SECONDS, open_channel, reason_of

SIGNING_SERVICE = "keyturn.v1.SigningService"
HERE = os.path.dirname(os.path.abspath(__file__))


class Reflection:
    """Asks one question at a time, and keeps each file that it is told about in a pool of its own."""

    def __init__(self, channel, directory):
        if protoc.main(["protoc", f"-I{HERE}", f"--python_out={directory}", f"--grpc_python_out={directory}", "reflection.proto"]) != 0:
            sys.exit("protoc failed")
        sys.path.insert(0, directory)
        self.messages = importlib.import_module("reflection_pb2")
        self.stub = importlib.import_module("reflection_pb2_grpc").ServerReflectionStub(channel)
        self.pool = descriptor_pool.DescriptorPool()
        self.known = set()

    def ask(self, **question):
        request = self.messages.ServerReflectionRequest(**question)
        response = next(self.stub.ServerReflectionInfo(iter([request]), timeout=DEADLINE_SECONDS))
        if response.HasField("error_response"):
            raise LookupError(f"{question}: {response.error_response.error_message}")
        return response

    def services(self):
        return sorted(service.name for service in self.ask(list_services="*").list_services_response.service)

    def load(self, **question):
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(content)
            for content in self.ask(**question).file_descriptor_response.file_descriptor_proto
        ]
        received = {file.name: file for file in files}
        for file in files:
            self.add(file, received)

    def add(self, file, received):
        if file.name in self.known:
            return
        self.known.add(file.name)
        for name in file.dependency:
            if name in received:
                self.add(received[name], received)
            elif name not in self.known:
                self.load(file_by_filename=name)
        self.pool.Add(file)

    def service(self, name):
        self.load(file_containing_symbol=name)
        return self.pool.FindServiceByName(name)

    def message(self, descriptor):
        if hasattr(message_factory, "GetMessageClass"):
            return message_factory.GetMessageClass(descriptor)
        return message_factory.MessageFactory(self.pool).GetPrototype(descriptor)  # protobuf before 4.22


def sign(reflection, channel, wanted):
    method = reflection.service(SIGNING_SERVICE).methods_by_name["SignJwt"]
    request_type, response_type = (reflection.message(kind) for kind in (method.input_type, method.output_type))
    call = channel.unary_unary(
        f"/{SIGNING_SERVICE}/SignJwt", request_serializer=request_type.SerializeToString, response_deserializer=response_type.FromString
    )
    request = request_type(signing_key=wanted["signingKey"], claims=json.dumps(wanted["claims"]).encode(), typ=wanted.get("typ", ""))
    if "lifetimeSeconds" in wanted:
        request.lifetime.seconds = wanted["lifetimeSeconds"]
    try:
        answer = call(request, timeout=DEADLINE_SECONDS)
    except grpc.RpcError as error:
        return {"code": error.code().name, "reason": reason_of(error), "message": error.details()}
    return {"jwt": answer.jwt, "kid": answer.kid, "expireTime": json_format.MessageToDict(answer)["expireTime"]}


def main():
    address, ca, certificate, private_key = sys.argv[1:5]
    with tempfile.TemporaryDirectory() as directory, open_channel(address, ca, certificate, private_key) as channel:
        reflection = Reflection(channel, directory)
        services = {name: [method.name for method in reflection.service(name).methods] for name in reflection.services()}
        print(json.dumps({"services": services}), flush=True)
        for line in sys.stdin:
            print(json.dumps(sign(reflection, channel, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
