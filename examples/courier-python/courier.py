"""A courier's complete integration over gRPC: from the search for a place to the event that the parcel was collected.

    python3 examples/courier-python/courier.py --gateway http://127.0.0.1:8420 --key .petak/keys/courier.json

It prints every step as a line of JSON. The exit code is 0 if the parcel was collected, otherwise 1. With --sandbox it walks through the
sites of the gateway's sandbox instead, without hardware.
Debian has the packages: python3-grpcio, python3-protobuf, python3-jwt and python3-cryptography. The messages come from the gateway,
by reflection.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from gateway import CALL_TIMEOUT_S, Gateway, GatewayError
from sandbox import walk_sandbox

# States from which a parcel can still be collected.
STATES_ON_THE_WAY = {"RESERVATION_STATE_HELD", "RESERVATION_STATE_CONFIRMED", "RESERVATION_STATE_DEPOSITED"}

# gRPC does not tell apart why a connection over TLS does not come about.
TLS_HINT = (
    "If the gateway wants a certificate of its clients, give --tls-client-cert and --tls-client-key; "
    "name the authority of its own in --tls-ca."
)


def show(step: str, **facts: Any) -> None:
    """Prints a step."""
    print(json.dumps({"step": step, **facts}, ensure_ascii=False), flush=True)


def enum_name(message: Message, field: str) -> str:
    """Returns the name of an enum field's value, or its number if a newer gateway sends an unknown value."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value is not None else str(number)


def deliver(gateway: Gateway, latitude: float, longitude: float) -> None:
    """Brings one parcel to the place nearest to its recipient and waits until it is collected."""
    parcel = {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}
    nearest = {
        "origin": {"latitude": latitude, "longitude": longitude},
        "radiusM": 20_000,
        "kinds": ["SITE_KIND_PARCEL_TERMINAL"],
    }

    found = gateway.call("DirectoryService", "FindNearest", {**nearest, "parcel": parcel})
    show(
        "options found",
        options=[
            {
                "siteId": option.site.site_id,
                "name": option.site.name,
                "distanceM": option.distance_m,
                "freeToPromise": option.free_to_promise,
            }
            for option in found.options
        ],
    )

    # Start with the next event. A courier does this once, and from then on stores the cursor with its parcels.
    cursor = gateway.call("CustodyService", "ListEvents", {"fromNow": True}).next_cursor

    # Store this before sending it: repeated after a crash, it returns the same place instead of reserving a second one.
    request = {
        "requestId": str(uuid.uuid4()),
        "nearest": nearest,
        "parcel": parcel,
        "partnerReference": "parcel-4711",
    }
    show("reserving", requestId=request["requestId"])
    held = gateway.call("ReservationService", "Reserve", request)
    reservation_id = held.reservation.reservation_id
    show(
        "place held",
        reservationId=reservation_id,
        siteId=held.reservation.site_id,
        operatorId=held.reservation.operator_id,
        name=held.site.name,
        holdExpiresAt=held.reservation.hold_expires_at.ToJsonString(),
    )

    confirmation = {"requestId": str(uuid.uuid4()), "reservationId": reservation_id}
    confirmed = gateway.call("ReservationService", "Confirm", confirmation)
    show("confirmed", reservationId=reservation_id, depositUntil=confirmed.reservation.deposit_until.ToJsonString())

    # For the driver's app, which shows it to the terminal's scanner as a QR code.
    for_deposit = {"requestId": str(uuid.uuid4()), "reservationId": reservation_id, "act": "ACT_DEPOSIT"}
    deposit = gateway.call("ReservationService", "IssueCredential", for_deposit)
    show("credential issued", act="DEPOSIT", accessToken=deposit.access_token, expiresAt=deposit.expires_at.ToJsonString())

    # For the recipient, who shows the token or types the PIN.
    for_collection = {"requestId": str(uuid.uuid4()), "reservationId": reservation_id, "act": "ACT_COLLECT", "withPin": True}
    collect = gateway.call("ReservationService", "IssueCredential", for_collection)
    show(
        "credential issued",
        act="COLLECT",
        accessToken=collect.access_token,
        pin=collect.pin,
        expiresAt=collect.expires_at.ToJsonString(),
    )

    until_collected(gateway, reservation_id, cursor)


def until_collected(gateway: Gateway, reservation_id: str, cursor: str) -> None:
    """Follows the events of a reservation until its end. Raises RuntimeError unless the parcel was collected."""
    state = "RESERVATION_STATE_CONFIRMED"
    wait_s = 20
    while state in STATES_ON_THE_WAY:
        page = gateway.call("CustodyService", "ListEvents", {"cursor": cursor, "wait": f"{wait_s}s"}, CALL_TIMEOUT_S + wait_s)
        for event in page.events:
            if event.reservation_id != reservation_id:
                continue
            state = enum_name(event, "state_after")
            show(
                "event",
                type=enum_name(event, "type"),
                state=state,
                occurredAt=event.occurred_at.ToJsonString(),
                eventId=event.event_id,
                # Which of the courier's calls, or of the terminal's, it came of, where that was traced.
                **({"traceparent": event.traceparent} if event.traceparent else {}),
            )
        cursor = page.next_cursor
    if state != "RESERVATION_STATE_COLLECTED":
        raise RuntimeError(f"reservation {reservation_id} ended as {state}")
    show("collected", reservationId=reservation_id)


def read_credentials(options: argparse.Namespace) -> grpc.ChannelCredentials:
    """Reads the TLS files. By default the authorities are the system's, and the gateway gets no certificate."""
    paths = (options.tls_ca, options.tls_client_key, options.tls_client_cert)
    return grpc.ssl_channel_credentials(*(Path(path).read_bytes() if path else None for path in paths))


def main() -> int:
    """Parses the command line and delivers a parcel."""
    parser = argparse.ArgumentParser(description="Brings one parcel to the nearest terminal and waits until it was collected.")
    parser.add_argument("--gateway", default=os.environ.get("PETAK_URL", "http://127.0.0.1:8420"))
    parser.add_argument("--key", type=Path, default=os.environ.get("PETAK_KEY", ".petak/keys/courier.json"))
    parser.add_argument("--tls-ca", default=os.environ.get("PETAK_TLS_CA"), help="the authorities of the gateway's certificate, in PEM")
    parser.add_argument("--tls-client-cert", default=os.environ.get("PETAK_TLS_CLIENT_CERT"), help="for a gateway that wants one, in PEM")
    parser.add_argument("--tls-client-key", default=os.environ.get("PETAK_TLS_CLIENT_KEY"), help="its key, in PEM")
    parser.add_argument("--origin", default="1.3521,103.8198", help="where the recipient is, in degrees")
    parser.add_argument("--sandbox", action="store_true", help="walk through the sites of the gateway's sandbox instead")
    options = parser.parse_args()
    latitude, longitude = (float(part) for part in options.origin.split(","))
    gateway = Gateway(options.gateway, json.loads(Path(options.key).read_text(encoding="utf-8")), read_credentials(options))
    try:
        if options.sandbox:
            walk_sandbox(gateway, show)
        else:
            deliver(gateway, latitude, longitude)
    except GatewayError as error:
        print(error, file=sys.stderr)
        if error.fields:
            print(f"Wrong fields: {', '.join(error.fields)}", file=sys.stderr)
        if not error.reason and options.gateway.startswith("https:"):
            print(TLS_HINT, file=sys.stderr)
        return 1
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        gateway.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
