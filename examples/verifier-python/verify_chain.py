"""Verifies a chain of custody receipts, as defined in docs/custody.md, with nothing but the issuer's public keys.

Exits with 1 at a fault, and with 4 where nothing is wrong and no statement shows that it is complete.

    python3 examples/verifier-python/verify_chain.py chain.json issuer-keys.json [the chain that it continues.json]

`petak chain res_… --out chain.json` saves a chain; a gateway publishes its keys at /.well-known/petak/issuer-keys.json.
"""

import base64
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from names import cash, name_of, party, requirement_name, state_of
from receipt import HAND_OVERS, RECEIPT, countersignature_jws, hash_of, is_signed, read_believed, read_signed, report_jws, time_ms
from canonical import decode, encode
from handover import is_handed_over
from presence import shows_holder
from statement import check_statement, read_statement

# The acts that can be the last one, by state. "": the chain may be empty.
LAST_ACTS = {
    "REQUESTED": [""],
    "QUEUED": [""],
    "REJECTED": [""],
    "HELD": [""],
    "EXPIRED": [""],
    "CONFIRMED": ["RESERVED"],
    "CANCELLED": ["", "RESERVED"],
    "NO_SHOW": ["RESERVED", "NO_PARCEL"],
    "DEPOSITED": ["DEPOSITED"],
    "COLLECTED": ["COLLECTED"],
    "RECALLED": ["RECALLED"],
}
MOST_NAMED = 100


def verify_chain(chain, issuer_keys, continued=None):
    """The faults in a response of GetCustodyChain, as pairs of a constant and the number of the link, or None; and the issuer's statement, or None."""
    faults = []
    reservation, receipts, events = chain.get("reservation", {}), chain.get("receipts", []), chain.get("events", [])
    statement = read_statement(chain, issuer_keys, faults)
    own, present = [], set()
    for receipt in receipts:
        stated = receipt.get("number", 0)
        claims = read_link(receipt, issuer_keys, faults)
        if claims is None:
            present.add(stated)
            continue
        number = claims["number"]
        if claims["reservation_id"] != reservation.get("reservationId", ""):
            faults.append(("OTHER_CHAIN", number))
            continue
        if number in present or number < max([link["number"] for link in own], default=0):
            faults.append(("ORDER", number))
        if all(link["number"] != number for link in own):
            own.append({"number": number, "hash": hash_of(receipt["jws"]), "jws": receipt["jws"], "claims": claims})
        present.add(number)
    check_hashes(own, continued, faults)
    expected = max(reservation.get("chain", {}).get("length", 0), statement["receipts"] if statement else 0)
    check_ends(reservation, expected, own, present, faults)
    check_events(reservation, expected, events, own, present, faults)
    check_reservation(reservation, own, faults)
    check_sides(own, faults)
    if statement is not None:
        check_statement(chain, statement, own, faults)
    return faults, statement


def read_link(receipt, issuer_keys, faults):
    """The claims of a link whose signature is valid, or None."""
    stated, jws = receipt.get("number", 0), receipt.get("jws", "")
    claims = read_believed(jws, RECEIPT, stated, issuer_keys, faults)
    if claims is None:
        return None
    if claims["number"] != stated:
        faults.append(("STATED", claims["number"]))
    if receipt.get("hash", "") != hash_of(jws):
        faults.append(("STATED", stated))
    return claims


def check_hashes(own, continued, faults):
    hashes = {link["number"]: link["hash"] for link in own}
    for link in own:
        number, previous, continues = link["number"], link["claims"]["previous"], link["claims"]["continues"]
        is_tied = (previous == "") == (continues == "") if number == 1 else previous != "" and continues == ""
        if previous != hashes.get(number - 1, previous) or not is_tied:
            faults.append(("PREVIOUS", number))
        if number == 1 and continued is not None:
            is_of = continues == continued["reservation"]["reservationId"]
            if not is_of or all(receipt["hash"] != previous for receipt in continued.get("receipts", [])):
                faults.append(("PREVIOUS", number))


def check_ends(reservation, expected, own, present, faults):
    head = reservation.get("chain", {})
    length, highest = head.get("length", 0), max(present, default=0)
    for number in range(1, min(max(expected, highest), len(present) + MOST_NAMED) + 1):
        if number not in present:
            faults.append(("MISSING", number))
    if highest > length:
        faults.append(("HEAD", highest))
    if any(link["number"] == length and link["hash"] != head.get("lastHash", "") for link in own):
        faults.append(("HEAD", length))
    hand_overs = sorted((link for link in own if link["claims"]["act"] != "COUNTERSIGNED"), key=lambda link: link["number"])
    last = hand_overs[-1] if hand_overs else None
    allowed = LAST_ACTS.get(state_of(reservation, "state"))
    if allowed is not None and (last["claims"]["act"] if last else "") not in allowed:
        faults.append(("INCOMPLETE", last["number"] if last else None))


def check_events(reservation, expected, events, own, present, faults):
    by_id = {event.get("eventId", ""): event for event in events}
    for link in own:
        event = by_id.get(link["claims"]["event_id"])
        if event is None:
            faults.append(("EVENT_MISSING", link["number"]))
        elif not says_the_same(event, link):
            faults.append(("EVENT_DIFFERS", link["number"]))
    signed = {link["claims"]["event_id"] for link in own}
    good = {link["number"] for link in own}
    length = max(expected, max(present, default=0))
    state = None
    for event in events:
        number = event.get("receipt", {}).get("number", 0) if "receipt" in event else None
        if event.get("reservationId", "") != reservation.get("reservationId", ""):
            faults.append(("EVENT_DIFFERS", None))
        if act_of(event) is not None and event.get("eventId", "") not in signed:
            # A bad or missing link has been reported already.
            if number is None or number in good or not (number in present or number <= length):
                faults.append(("EVENT_UNSIGNED", None))
        if act_of(event) is None and number is not None:
            faults.append(("EVENT_DIFFERS", number))
        if state is not None and state_of(event, "stateBefore") != state:
            faults.append(("EVENT_ORDER", None))
        state = state_of(event, "stateAfter")
    if state is not None and state != state_of(reservation, "state"):
        faults.append(("EVENT_ORDER", None))


def act_of(event):
    """The hand-over of an event, or None."""
    before, after = state_of(event, "stateBefore"), state_of(event, "stateAfter")
    for act, (name, begin, end, _sides) in HAND_OVERS.items():
        if event.get("type") == f"EVENT_TYPE_{name}":
            leads = end is None or (begin in (None, before) and after == end and before != end)
            return act if leads else None
    return None


def says_the_same(event, link):
    """Whether an event and the data of its receipt agree with what was signed."""
    receipt, claims = event.get("receipt"), link["claims"]
    extras = ("cancellationReason", "relatedReservationId")
    if receipt is None or act_of(event) is None or any(name in event for name in extras) or "refusal" in event.get("proof", {}):
        return False
    proof, report, countersignature = event.get("proof"), receipt.get("report"), receipt.get("countersignature")
    said = {
        "version": 1,
        "number": receipt.get("number", 0),
        "previous": receipt.get("previousHash", ""),
        "continues": receipt.get("continuedReservationId", ""),
        "act": act_of(event),
        "given_by": party(receipt.get("givenBy")),
        "received_by": party(receipt.get("receivedBy")),
        "event_id": event.get("eventId", ""),
        "schema_version": event.get("schemaVersion", 0),
        "occurred_at_ms": time_ms(event["occurredAt"]),
        "recorded_at_ms": time_ms(event["recordedAt"]),
        "actor": party(event.get("actor")),
        "reservation_id": event.get("reservationId", ""),
        "revision": event.get("reservationRevision", 0),
        "state_before": state_of(event, "stateBefore"),
        "state_after": state_of(event, "stateAfter"),
        "purpose": name_of(receipt, "purpose", "PURPOSE_"),
        "site_id": event.get("siteId", ""),
        "operator_id": event.get("operatorId", ""),
        "participant_id": event.get("participantId", ""),
        "partner_reference": event.get("partnerReference", ""),
        "is_test": event.get("isTest", False),
        "bundle_id": event.get("bundleId", ""),
        "proof": proof
        and {
            "kind": name_of(proof, "kind", "PROOF_KIND_"),
            "credential_hash": proof.get("credentialHash", ""),
            "parent_credential_hash": proof.get("parentCredentialHash", ""),
            "compartment_id": proof.get("compartmentId", ""),
            "offline": proof.get("offline", False),
            "agent_key_id": proof.get("agentKeyId", ""),
            "device_sequence": int(proof.get("deviceSequence", 0)),
            **({"presence": proof["presence"]} if "presence" in proof else {}),
            **({"clerk_id": proof["clerkId"]} if "clerkId" in proof else {}),
            **({"handover": proof["handover"]} if "handover" in proof else {}),
            **({"courier_public_key": bytes_of(proof, "courierPublicKey")} if "courierPublicKey" in proof else {}),
        },
        "report": report
        and {
            "act": name_of(report, "act", "ACT_"),
            "delegated": report.get("delegated", False),
            "bundle_id": report.get("bundleId", ""),
            "device_event_id": report.get("deviceEventId", ""),
            "public_key": bytes_of(report, "publicKey"),
            "signature": bytes_of(report, "signature"),
            **({"previous": bytes_of(report, "previousHash")} if "previousHash" in report else {}),
            **({"checks": " ".join(requirement_name(check) for check in event["checksDone"])} if "checksDone" in event else {}),
            **({"cash": cash(event["cashCollected"])} if "cashCollected" in event else {}),
        },
        "countersignature": countersignature
        and {
            "number": countersignature.get("number", 0),
            "receipt": countersignature.get("receiptHash", ""),
            "key_id": countersignature.get("keyId", ""),
            "public_key": bytes_of(countersignature, "publicKey"),
            "signature": bytes_of(countersignature, "signature"),
        },
    }
    key_id, _claims = read_signed(link["jws"], RECEIPT)
    is_same_key = receipt.get("issuerKeyId", "") == key_id and bytes_of(receipt, "signature") == link["jws"].split(".")[2]
    return said == claims and is_same_key


def check_reservation(reservation, own, faults):
    operator = {"kind": "PARTICIPANT", "participant_id": reservation.get("operatorId", "")}
    parties = {"depositor": party(reservation.get("depositor")), "collector": party(reservation.get("collector")), "operator": operator}
    for link in own:
        claims = link["claims"]
        sides = HAND_OVERS.get(claims["act"], (None, None, None, None))[3] or (None, None)
        same = (
            claims["site_id"] == reservation.get("siteId", "")
            and claims["operator_id"] == reservation.get("operatorId", "")
            and claims["participant_id"] == reservation.get("participantId", "")
            and claims["purpose"] == name_of(reservation, "purpose", "PURPOSE_")
            and claims["partner_reference"] == reservation.get("partnerReference", "")
            and claims["is_test"] == reservation.get("isTest", False)
            and claims["given_by"] == parties.get(sides[0])
            and claims["received_by"] == parties.get(sides[1])
        )
        if not same:
            faults.append(("RESERVATION_DIFFERS", link["number"]))


def check_sides(own, faults):
    by_number = {link["number"]: link for link in own}
    for link in own:
        number, claims = link["number"], link["claims"]
        actor = claims["actor"] or {}
        if claims["report"] is None:
            if actor.get("kind") == "AGENT":
                faults.append(("REPORT_MISSING", number))
        elif not is_signed(report_jws(claims), decode(claims["report"]["public_key"])):
            faults.append(("REPORT_SIGNATURE", number))
        if "presence" in (claims["proof"] or {}) and claims["report"] is not None and not shows_holder(claims):
            faults.append(("PRESENCE", number))
        if (claims["proof"] or {}).get("kind") == "HANDOVER_LIST" and claims["report"] is not None and not is_handed_over(claims):
            faults.append(("HANDOVER", number))
        countersignature = claims["countersignature"]
        if countersignature is None:
            continue
        signed = by_number.get(countersignature["number"])
        signer = {"kind": "PARTICIPANT", "participant_id": actor.get("participant_id", "")}
        is_under = signed is None or (
            signed["hash"] == countersignature["receipt"] and signer in (signed["claims"]["given_by"], signed["claims"]["received_by"])
        )
        if not is_under or not is_signed(countersignature_jws(claims), decode(countersignature["public_key"])):
            faults.append(("COUNTERSIGNATURE", number))


def bytes_of(message, member):
    """Bytes of the protocol's JSON in base64url."""
    return encode(base64.b64decode(message.get(member, "")))


def main(names):
    chain, issuer_keys, *continued = (json.loads(Path(name).read_text(encoding="utf-8")) for name in names)
    faults, statement = verify_chain(chain, issuer_keys, continued[0] if continued else None)
    for code, number in faults:
        print(f"{'chain' if number is None else f'link {number}'}: {code}", file=sys.stderr)
    found = f"{len(chain.get('receipts', []))} links, {len(faults)} faults"
    if faults:
        print(found)
        return 1
    if statement is None:
        print(f"{found}, not shown to be complete")
        return 4
    as_of = datetime.fromtimestamp(statement["as_of_ms"] / 1000, timezone.utc)
    print(f"{found}, complete as of {as_of.isoformat(timespec='milliseconds')}")
    return 0


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
