"""An issuer's statement of a chain, byte for byte as defined in docs/custody.md: how the chain ends, and which events it has."""

import base64
import json
import re
from datetime import datetime, timezone
from hashlib import sha256

from names import name_of, party, requirement_name, state_of
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
    # Members that came later are there only if set.
    if "refusals" in event:
        said["refusals"] = refusals(event["refusals"])
    if "siteChange" in event:
        said["site_change"] = site_change(event["siteChange"])
    if "keyChange" in event:
        said["key_change"] = {"key_id": event["keyChange"].get("keyId", ""), "by_key_id": event["keyChange"].get("byKeyId", "")}
    if "secondAgent" in event:
        said["second_agent"] = second_agent(event["secondAgent"])
    if "enrolmentReuse" in event:
        said["enrolment_reuse"] = enrolment_reuse(event["enrolmentReuse"])
    if "command" in event:
        said["command"] = command(event["command"])
    if "issuerRevocation" in event:
        revocation = event["issuerRevocation"]
        said["issuer_revocation"] = {
            "issuer_key_id": revocation.get("issuerKeyId", ""),
            "revoked_at": exact_time(revocation.get("revokedAt")),
        }
    if "doubtReason" in event:
        said["doubt_reason"] = name_of(event, "doubtReason", "DOUBT_REASON_")
    if "reportedType" in event:
        said["reported_type"] = name_of(event, "reportedType", "EVENT_TYPE_")
    if "reportFork" in event:
        said["report_fork"] = report_fork(event["reportFork"])
    if "missingReports" in event:
        said["missing_reports"] = missing_reports(event["missingReports"])
    if "intake" in event:
        said["intake"] = intake(event["intake"])
    if "intakeReason" in event:
        said["intake_reason"] = name_of(event, "intakeReason", "INTAKE_REASON_")
    if "siteCondition" in event:
        said["site_condition"] = site_condition(event["siteCondition"])
    if "checksDone" in event:
        said["checks_done"] = [requirement_name(check) for check in event["checksDone"]]
    if "cashCollected" in event:
        said["cash_collected"] = money(event["cashCollected"])
    if "missingChecks" in event:
        said["missing_checks"] = [requirement_name(check) for check in event["missingChecks"]]
    if "countedShift" in event:
        said["counted_shift"] = counted_shift(event["countedShift"])
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False)


def second_agent(message):
    said = {"key_id": message.get("keyId", ""), "in_charge_key_id": message.get("inChargeKeyId", "")}
    if message.get("currentEpoch", 0) > 0:
        said["held_epoch"] = message.get("heldEpoch", 0)
        said["current_epoch"] = message["currentEpoch"]
    if message.get("reportsKeptApart", False):
        said["reports_kept_apart"] = True
    return said


def enrolment_reuse(message):
    return {
        "enrolment_id": message.get("enrolmentId", ""),
        "key_id": message.get("keyId", ""),
        "refused_public_key": encode(base64.b64decode(message.get("refusedPublicKey", ""))),
    }


def report_fork(message):
    return {
        "key_id": message.get("keyId", ""),
        "sequence": str(message.get("sequence", 0)),
        "report_hash": encode(base64.b64decode(message.get("reportHash", ""))),
        "statement": message.get("statement", ""),
        "acknowledged_sequence": str(message.get("acknowledgedSequence", 0)),
    }


def missing_reports(message):
    return {
        "key_id": message.get("keyId", ""),
        "first_sequence": str(message.get("firstSequence", 0)),
        "last_sequence": str(message.get("lastSequence", 0)),
        "is_device": message.get("isDevice", False),
    }


def site_condition(message):
    return {
        "kind": name_of(message, "kind", "CONDITION_KIND_"),
        "since": exact_time(message.get("since")),
        "until": exact_time(message.get("until")),
        "count": message.get("count", 0),
        "clock_ahead_ms": str(message.get("clockAheadMs", 0)),
        "parcels": message.get("parcels", 0),
    }


def counted_shift(message):
    return {
        "began_at": exact_time(message.get("beganAt")),
        "expected": message.get("expected", 0),
        "counted": message.get("counted", 0),
        "missing": message.get("missing", 0),
        "surplus": message.get("surplus", 0),
        "cash": [
            {
                "currency_code": cash.get("currencyCode", ""),
                "expected_units": str(cash.get("expectedUnits", 0)),
                "expected_nanos": cash.get("expectedNanos", 0),
                "counted_units": str(cash.get("countedUnits", 0)),
                "counted_nanos": cash.get("countedNanos", 0),
            }
            for cash in message.get("cash", [])
        ],
    }


def intake(message):
    return {
        "paused": message.get("paused", False),
        "paused_until": exact_time(message.get("pausedUntil")),
        "places": [
            {"size_class_id": place.get("sizeClassId", ""), "in_service": place.get("inService", 0)} for place in message.get("places", [])
        ],
    }


def command(message):
    return {
        "command_id": message.get("commandId", ""),
        "type": name_of(message, "type", "COMMAND_TYPE_"),
        "state": name_of(message, "state", "COMMAND_STATE_"),
        "compartment_id": message.get("compartmentId", ""),
        "refusal": message.get("refusal", ""),
        "key_id": message.get("keyId", ""),
        "second_key_id": message.get("secondKeyId", ""),
    }


def part(event, member, of):
    return of(event[member]) if member in event else None


def proof(message):
    said = {
        "kind": name_of(message, "kind", "PROOF_KIND_"),
        "credential_hash": message.get("credentialHash", ""),
        "offline": message.get("offline", False),
        "agent_key_id": message.get("agentKeyId", ""),
        "device_sequence": str(message.get("deviceSequence", 0)),
        "compartment_id": message.get("compartmentId", ""),
        "refusal": message.get("refusal", ""),
        "parent_credential_hash": message.get("parentCredentialHash", ""),
    }
    if "presence" in message:
        said["presence"] = message["presence"]
    if "clerkId" in message:
        said["clerk_id"] = message["clerkId"]
    if "handover" in message:
        said["handover"] = message["handover"]
    if "courierPublicKey" in message:
        said["courier_public_key"] = encode(base64.b64decode(message["courierPublicKey"]))
    return said


def cloud_event(message):
    names = ("specversion", "id", "source", "type", "subject", "time", "dataschema", "sequence")
    return {name: message.get(name, "") for name in names}


def correction(message):
    return {
        "event_ids": message.get("eventIds", []),
        "reason": name_of(message, "reason", "CORRECTION_REASON_"),
        "occurred_at": exact_time(message.get("occurredAt")),
    }


def refusals(message):
    return {
        "count": message.get("count", 0),
        "first_at": exact_time(message.get("firstAt")),
        "last_at": exact_time(message.get("lastAt")),
    }


def site_change(message):
    said = {
        "kinds": [kind.removeprefix("SITE_CHANGE_KIND_") for kind in message.get("kinds", [])],
        "moved_m": message.get("movedM", 0),
        "can_be_kept": message.get("canBeKept", False),
        "site_revision": message.get("siteRevision", 0),
        "cancelled": message.get("cancelled", False),
    }
    if "siteId" in message:
        said.update(site_id=message["siteId"], number=message.get("number", 0))
    if message.get("lacksPlace", False):
        said["lacks_place"] = True
    return said


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
