"""Message classes made from a gateway's gRPC server reflection, so that no proto files are required."""

from __future__ import annotations

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

# The parts used of https://github.com/grpc/grpc-proto/blob/master/grpc/reflection/v1/reflection.proto, to request everything else.
_REFLECTION_PROTO = """
name: "grpc/reflection/v1/reflection.proto"
package: "grpc.reflection.v1"
syntax: "proto3"
message_type {
  name: "ServerReflectionRequest"
  field { name: "file_containing_symbol" number: 4 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "ServerReflectionResponse"
  field {
    name: "file_descriptor_response" number: 4 label: LABEL_OPTIONAL
    type: TYPE_MESSAGE type_name: ".grpc.reflection.v1.FileDescriptorResponse"
  }
  field {
    name: "error_response" number: 7 label: LABEL_OPTIONAL
    type: TYPE_MESSAGE type_name: ".grpc.reflection.v1.ErrorResponse"
  }
}
message_type {
  name: "FileDescriptorResponse"
  field { name: "file_descriptor_proto" number: 1 type: TYPE_BYTES label: LABEL_REPEATED }
}
message_type {
  name: "ErrorResponse"
  field { name: "error_code" number: 1 type: TYPE_INT32 label: LABEL_OPTIONAL }
  field { name: "error_message" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
}
"""


def message_class(descriptor: Descriptor) -> type[Message]:
    """Returns the class of a message. The function has another name since protobuf 4.22."""
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(descriptor.file.pool).GetPrototype(descriptor)


def parse_file(text: str) -> descriptor_pb2.FileDescriptorProto:
    """Reads a file descriptor in protobuf's text format."""
    return text_format.Parse(text, descriptor_pb2.FileDescriptorProto())


class Schema:
    """The services of a gateway, loaded on first use. It has its own descriptor pool, so it does not collide with generated code."""

    def __init__(self, channel: grpc.Channel, timeout_s: float = 10.0) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._known_files: set[str] = set()
        self._timeout_s = timeout_s
        self._add([parse_file(_REFLECTION_PROTO)])
        self._request = message_class(self._pool.FindMessageTypeByName("grpc.reflection.v1.ServerReflectionRequest"))
        self._response = message_class(self._pool.FindMessageTypeByName("grpc.reflection.v1.ServerReflectionResponse"))
        self._ask = channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            request_serializer=self._request.SerializeToString,
            response_deserializer=self._response.FromString,
        )

    def method(self, service: str, method: str) -> tuple[type[Message], type[Message]]:
        """Returns the classes of a method's request and response. Raises LookupError if the gateway does not have the method."""
        try:
            found = self._pool.FindServiceByName(service)
        except KeyError:
            self._add(self._fetch(service))
            found = self._pool.FindServiceByName(service)
        descriptor = found.methods_by_name[method]
        return message_class(descriptor.input_type), message_class(descriptor.output_type)

    def _fetch(self, symbol: str) -> list[descriptor_pb2.FileDescriptorProto]:
        """Requests the file that declares a symbol, together with its imports."""
        question = self._request(file_containing_symbol=symbol)
        answer = next(self._ask(iter([question]), timeout=self._timeout_s))
        if answer.HasField("error_response"):
            raise LookupError(answer.error_response.error_message)
        files = answer.file_descriptor_response.file_descriptor_proto
        return [descriptor_pb2.FileDescriptorProto.FromString(file) for file in files]

    def _add(self, files: list[descriptor_pb2.FileDescriptorProto]) -> None:
        """Adds files to the pool, each after its imports."""
        by_name = {file.name: file for file in files}

        def add(name: str) -> None:
            if name in self._known_files:
                return
            self._known_files.add(name)
            for dependency in by_name[name].dependency:
                add(dependency)
            self._pool.AddSerializedFile(by_name[name].SerializeToString())

        for name in by_name:
            add(name)
