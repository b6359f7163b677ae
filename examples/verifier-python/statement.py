"""An issuer's statement of a chain, byte for byte as defined in docs/custody.md: how the chain ends, and which events it has."""

import base64
import json
import re
from datetime import datetime, timezone
from hashlib import sha256

from names import name_of, party, state_of
from receipt import read_believed
from canonical import encode

CLAIMS = {
    "version": int,
    "as_of_ms": int,
    "reservation_id": str,
    "state": str,
    "revision": int,
    "receipts": int,
    "last_receipt": str,
    "events": int,
    "first_event": int,
    "events_hash": str,
}
STATEMENT = ("petak-chain", CLAIMS, "as_of_ms")


def read_statement(chain, issuer_keys, faults):
    """The claims of a chain's statement, or None if there is none, or none of this chain that an issuer signed."""
    if "statement" not in chain:
        return None
    claims = read_believed(chain["statement"].get("jws", ""), STATEMENT, None, issuer_keys, faults)
    if claims is None:
        return None
    if claims["reservation_id"] != chain.get("reservation", {}).get("reservationId", ""):
        faults.append(("OTHER_CHAIN", None))
        return None
    return claims


def check_statement(chain, statement, own, faults):
    """Checks that a chain agrees with its statement."""
    reservation = chain.get("reservation", {})
    count, last = statement["receipts"], statement["last_receipt"]
    head = reservation.get("chain", {})
    if (head.get("length", 0), head.get("lastHash", "")) != (count, last):
        faults.append(("HEAD", count or None))
    for link in own:
        if link["number"] > count or (link["number"] == count and link["hash"] != last):
            faults.append(("HEAD", link["number"]))
    state = state_of(reservation, "state")
    if (state, reservation.get("revision", 0)) != (statement["state"], statement["revision"]):
        faults.append(("STATE_DIFFERS", None))
    check_signed_events(chain, statement, faults)


def check_signed_events(chain, statement, faults):
    present = [sha256(event_text(event).encode()).digest() for event in chain.get("events", [])]
    listed = base64.b64decode(chain["statement"].get("eventHashes", ""))
    is_same = encode(sha256(b"".join(present)).digest()) == statement["events_hash"]
    if encode(sha256(listed).digest()) != statement["events_hash"]:
        faults.append(("EVENT_HASHES", None))
        if not is_same:
            faults.append(("EVENT_DIFFERS", None))
        return
    if not is_same:
        faults.extend((code, None) for code in compare([listed[at : at + 32] for at in range(0, len(listed), 32)], present))


def compare(signed, present):
    """The faults of the events, by their hashes: those that were signed and those that are there."""
    left = {digest: index for index, digest in enumerate(signed)}
    places = [left.pop(digest, None) for digest in present]
    gone, changed, highest, codes = set(left.values()), {}, -1, set()
    # Matched from the front and then from the back, next to known neighbours: a changed event is still in its position.
    for step in (1, -1):
        neighbour = -1 if step == 1 else len(signed)
        for index in range(len(present))[::step]:
            place = places[index] if places[index] is not None else changed.get(index)
            if place is None and neighbour is not None and neighbour + step in gone:
                place = changed[index] = neighbour + step
                gone.remove(place)
            neighbour = place
    for index, place in enumerate(places):
        if place is None:
            codes.add("EVENT_DIFFERS" if index in changed else "EVENT_ADDED")
        elif place < highest:
            codes.add("EVENT_ORDER")
        highest = max(highest, highest if place is None else place)
    return codes | ({"EVENT_MISSING"} if gone else set())


def event_text(event):
    """The content of an event without its receipt, as the text whose hash is signed."""
    said = {
        "event_id": event.get("eventId", ""),
        "schema_version": event.get("schemaVersion", 0),
        "type": name_of(event, "type", "EVENT_TYPE_"),
        "reservation_id": event.get("reservationId", ""),
        "site_id": event.get("siteId", ""),
        "operator_id": event.get("operatorId", ""),
        "participant_id": event.get("participantId", ""),
        "actor": party(event.get("actor")),
        "occurred_at": exact_time(event.get("occurredAt")),
        "recorded_at": exact_time(event.get("recordedAt")),
        "state_before": state_of(event, "stateBefore"),
        "state_after": state_of(event, "stateAfter"),
        "proof": part(event, "proof", proof),
        "partner_reference": event.get("partnerReference", ""),
        "is_test": event.get("isTest", False),
        "reservation_revision": event.get("reservationRevision", 0),
        "cancellation_reason": name_of(event, "cancellationReason", "CANCELLATION_REASON_"),
        "related_reservation_id": event.get("relatedReservationId", ""),
        "feed_number": str(event.get("feedNumber", 0)),
        "bundle_id": event.get("bundleId", ""),
        "cloud_event": part(event, "cloudEvent", cloud_event),
        "occurred_at_utc_offset": exact_duration(event.get("occurredAtUtcOffset")),
        "correction": part(event, "correction", correction),
        "webhook_endpoint_id": event.get("webhookEndpointId", ""),
        "fee_due": part(event, "feeDue", money),
        "overflow_fallback": name_of(event, "overflowFallback", "OVERFLOW_FALLBACK_"),
    }
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def part(event, member, of):
    return of(event[member]) if member in event else None


def proof(message):
    return {
        "kind": name_of(message, "kind", "PROOF_KIND_"),
        "credential_hash": message.get("credentialHash", ""),
        "offline": message.get("offline", False),
        "agent_key_id": message.get("agentKeyId", ""),
        "device_sequence": str(message.get("deviceSequence", 0)),
        "compartment_id": message.get("compartmentId", ""),
        "refusal": message.get("refusal", ""),
        "parent_credential_hash": message.get("parentCredentialHash", ""),
    }


def cloud_event(message):
    names = ("specversion", "id", "source", "type", "subject", "time", "dataschema", "sequence")
    return {name: message.get(name, "") for name in names}


def correction(message):
    return {
        "event_ids": message.get("eventIds", []),
        "reason": name_of(message, "reason", "CORRECTION_REASON_"),
        "occurred_at": exact_time(message.get("occurredAt")),
    }


def money(message):
    return {"currency_code": message.get("currencyCode", ""), "units": str(message.get("units", 0)), "nanos": message.get("nanos", 0)}


def exact_time(text):
    """Seconds since 1970 and nanoseconds of a time in the protocol's JSON, e.g. 2026-11-24T12:00:00.120Z."""
    if text is None:
        return None
    whole, fraction = re.fullmatch(r"([^.]+?)(?:\.(\d+))?Z", text).groups()
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return {"seconds": str(int(moment.timestamp())), "nanos": int((fraction or "").ljust(9, "0"))}


def exact_duration(text):
    """The same for a duration, e.g. 28800s. Both have its sign."""
    if text is None:
        return None
    sign, whole, fraction = re.fullmatch(r"(-?)(\d+)(?:\.(\d+))?s", text).groups()
    nanos = int((fraction or "").ljust(9, "0"))
    return {"seconds": str(int(sign + whole)), "nanos": -nanos if sign else nanos}
