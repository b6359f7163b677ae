"""Calls to a gateway: signed, with a deadline, repeated if that is safe, and with machine-readable reasons of refusals."""

from __future__ import annotations

import base64
import hashlib
import random
import secrets
import time
from typing import Any
from urllib.parse import urlsplit

import grpc
import jwt
from google.protobuf import any_pb2, descriptor_pool, duration_pb2, json_format
from google.protobuf.message import Message

from reflection import Schema, message_class, parse_file

# Longer than any call takes. The wait of a long poll is added.
CALL_TIMEOUT_S = 10.0

# How long a call is repeated after its first failure: longer than a gateway takes to start again on a slow machine.
PATIENCE_S = 60.0

# The longest delay between attempts, apart from what the gateway asks for.
MAX_BACKOFF_S = 5.0

# The longest delay before a retry. If the gateway asks for more (NO_PLACE_FREE: a minute), the caller should decide.
MAX_RETRY_DELAY_S = 5.0

# The parts used of google/rpc/status.proto and google/rpc/error_details.proto; the package googleapis-common-protos has both in full.
_ERROR_PROTO = """
name: "google/rpc/errors.proto"
package: "google.rpc"
syntax: "proto3"
dependency: "google/protobuf/any.proto"
dependency: "google/protobuf/duration.proto"
message_type {
  name: "Status"
  field { name: "details" number: 3 type: TYPE_MESSAGE type_name: ".google.protobuf.Any" label: LABEL_REPEATED }
}
message_type {
  name: "ErrorInfo"
  field { name: "reason" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
  field { name: "domain" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
}
message_type {
  name: "RetryInfo"
  field { name: "retry_delay" number: 1 type: TYPE_MESSAGE type_name: ".google.protobuf.Duration" label: LABEL_OPTIONAL }
}
message_type {
  name: "BadRequest"
  field { name: "field_violations" number: 1 type: TYPE_MESSAGE type_name: ".google.rpc.BadRequest.FieldViolation" label: LABEL_REPEATED }
  nested_type {
    name: "FieldViolation"
    field { name: "field" number: 1 type: TYPE_STRING label: LABEL_OPTIONAL }
    field { name: "description" number: 2 type: TYPE_STRING label: LABEL_OPTIONAL }
  }
}
"""

# After a failure a channel waits before it resolves the address again (30 s by default) and before it connects (up to two minutes), and calls fail
# meanwhile. Pings find a connection whose other end has gone without a word.
CHANNEL_OPTIONS = [
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.dns_min_time_between_resolutions_ms", 500),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]

_pool = descriptor_pool.DescriptorPool()
for _file in (any_pb2.DESCRIPTOR.serialized_pb, duration_pb2.DESCRIPTOR.serialized_pb, parse_file(_ERROR_PROTO).SerializeToString()):
    _pool.AddSerializedFile(_file)


def _sha256(data: bytes) -> str:
    """Returns the SHA-256 of bytes in base64url, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


class GatewayError(Exception):
    """A refusal by the gateway."""

    def __init__(self, error: grpc.RpcError) -> None:
        details = _read_details(error)
        info = details.get("google.rpc.ErrorInfo")
        bad_request = details.get("google.rpc.BadRequest")
        retry = details.get("google.rpc.RetryInfo")
        self.code: grpc.StatusCode = error.code()
        #: A constant of docs/errors.md, for programs. Empty if no gateway responded.
        self.reason: str = info.reason if info is not None and info.domain == "petak.v1" else ""
        #: The invalid fields, if that is the reason.
        self.fields: list[str] = [one.field for one in bad_request.field_violations] if bad_request is not None else []
        #: The delay in seconds after which the same request may be sent again. None if it would be refused again.
        self.retry_after_s: float | None = None
        if retry is not None:
            self.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
        elif self.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.DEADLINE_EXCEEDED):
            # With these codes nobody knows whether the change was made. Its request_id makes it safe to send it again.
            self.retry_after_s = 0.0
        super().__init__(f"{self.reason} ({self.code.name}): {error.details()}".lstrip())


def _read_details(error: grpc.RpcError) -> dict[str, Message]:
    """Reads the google.rpc details of an error, by their names."""
    trailers = dict(error.trailing_metadata() or ())
    status = message_class(_pool.FindMessageTypeByName("google.rpc.Status")).FromString(trailers.get("grpc-status-details-bin", b""))
    found: dict[str, Message] = {}
    for detail in status.details:
        name = detail.type_url.rpartition("/")[2]
        try:
            descriptor = _pool.FindMessageTypeByName(name)
        except KeyError:
            continue
        found[name] = message_class(descriptor).FromString(detail.value)
    return found


class Gateway:
    """The calls to one gateway."""

    def __init__(self, address: str, key: dict[str, Any], tls: grpc.ChannelCredentials | None = None) -> None:
        """Takes the address, http:// or https://, and the content of a file written by `petak keys make`.

        With `tls`, connections over https:// have other authorities than the system's, or a certificate that the gateway wants of its clients.
        """
        url = urlsplit(address)
        self._address = address.rstrip("/")
        is_tls = url.scheme == "https"
        target = url.netloc if url.port is not None else f"{url.netloc}:{443 if is_tls else 80}"
        if is_tls:
            self._channel = grpc.secure_channel(target, tls or grpc.ssl_channel_credentials(), CHANNEL_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, CHANNEL_OPTIONS)
        self._schema = Schema(self._channel)
        self._key = key
        self._private_key = jwt.PyJWK.from_dict(key["private_jwk"]).key
        self._token = ""
        self._renew_at = 0.0

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def request_token(self) -> str:
        """Returns a request token. Each is valid for five minutes and used for four; a gateway accepts none with a lifetime over ten."""
        now = time.time()
        if now >= self._renew_at:
            claims = {"iss": self._key["participant_id"], "aud": self._key["audience"], "iat": int(now), "exp": int(now) + 300}
            headers = {"typ": "petak-request+jwt", "kid": self._key["key_id"]}
            self._token = jwt.encode(claims, self._private_key, algorithm="EdDSA", headers=headers)
            self._renew_at = now + 240
        return self._token

    def proof(self, path: str, request: Message, message: bytes) -> str:
        """Returns the proof of one call, which is good once and for a minute. The message must be sent exactly as it is given here."""
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": "POST",
            "htu": f"{self._address}{path}",
            "iat": int(time.time()),
            "ath": _sha256(self.request_token().encode()),
            "request_id": request.request_id,
            "message_sha256": _sha256(message),
        }
        headers = {"typ": "dpop+jwt", "kid": self._key["key_id"]}
        return jwt.encode(claims, self._private_key, algorithm="EdDSA", headers=headers)

    def call(self, service: str, method: str, body: dict[str, Any], timeout_s: float = CALL_TIMEOUT_S, prove: bool = False) -> Any:
        """Calls a method of petak.v1, and repeats the same request, with the same request_id, if that is safe.

        The body is the request in the protocol's JSON, as curl would send it; the response is a message. With `prove`, each attempt carries
        a proof, for calls that are refused with PROOF_REQUIRED without one.
        """
        path = f"/petak.v1.{service}/{method}"
        attempt = 1
        give_up_at: float | None = None
        while True:
            try:
                request_class, response_class = self._schema.method(f"petak.v1.{service}", method)
                request = json_format.ParseDict(body, request_class())
                # Serialized once: a proof is good for exactly these bytes.
                message = request.SerializeToString()
                send = self._channel.unary_unary(path, response_deserializer=response_class.FromString)
                metadata = [("authorization", f"Bearer {self.request_token()}")]
                if prove:
                    metadata.append(("dpop", self.proof(path, request, message)))
                return send(message, timeout=timeout_s, metadata=metadata)
            except grpc.RpcError as raised:
                error = GatewayError(raised)
                give_up_at = give_up_at or time.monotonic() + PATIENCE_S
                if error.retry_after_s is None or error.retry_after_s > MAX_RETRY_DELAY_S or time.monotonic() > give_up_at:
                    raise error from raised
                # Randomized, so that couriers that failed together do not retry together.
                time.sleep(error.retry_after_s + min(0.2 * 2**attempt, MAX_BACKOFF_S) * random.uniform(0.5, 1.0))
                attempt += 1
