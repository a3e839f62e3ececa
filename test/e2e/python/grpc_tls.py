"""What the clients here share: an mTLS channel, and reading google.rpc.Status from a failed call without its proto."""
import grpc

DEADLINE_SECONDS = 10


def open_channel(address, ca, certificate, private_key):
    credentials = grpc.ssl_channel_credentials(*(read(path) for path in (ca, private_key, certificate)))
    return grpc.secure_channel(address, credentials)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def fields(message):
    """The length-delimited fields of a protobuf message, as (number, bytes); others are skipped."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    while position < len(message):
        key = varint()
        if key & 7 == 0:
            varint()
        elif key & 7 == 2:
            length = varint()
            yield key >> 3, message[position : position + length]
            position += length
        else:
            raise ValueError(f"unexpected wire type {key & 7}")


def reason_of(error):
    """The `reason` of the google.rpc.ErrorInfo in a failed call's status details; None when there is none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            details = (dict(fields(content)) for number, content in fields(value) if number == 3)
            return reason_in((detail[1].decode(), detail[2]) for detail in details)
    return None


def reason_in(details):
    """The same from (type URL, value) of each detail."""
    for type_url, value in details:
        if type_url.endswith("/google.rpc.ErrorInfo"):
            return dict(fields(value))[1].decode()
    return None
