"""The decision of a terminal about a credential, as defined in docs/credentials.md.

For somebody who builds a terminal in another language: begin here, go on with access_token.py, presence.py and pin.py. It decides and changes nothing;
spending a credential and opening a door come after it. Debian has all that it needs: python3-jwt and python3-cryptography.
"""

import hashlib

from access_token import judge_token
from pin import after_right_pin, judge_pin
from presence import judge_presence
from refused import Refused
from canonical import encode

MOST_REOPENINGS = 2


def decide(case):
    """Decides on the credential of a case (the rule book's "Test vectors") and returns the fields of its `expected`."""
    credential, before = case["credential"], case["state"]["lock_out"]
    if_refused = before
    try:
        if "token" in credential:
            proven = judge_token(credential["token"], case)
            door = credential.get("compartment_id", proven["door"]) if proven["act"] == "SERVICE" else ""
            if proven["holder"] is not None:
                judge_presence(credential.get("presence"), proven, door, case)
        else:
            proven, if_refused = judge_pin(credential["pin"], case)
        credential_hash = encode(hashlib.sha256(proven["id"].encode()).digest())
        if is_revoked(credential_hash, proven, case):
            raise Refused("REVOKED", proven)
        if proven["act"] == "SERVICE":
            reservations, reopens = judge_service(proven, door, case)
        elif proven["bundle_id"]:
            reservations, reopens = judge_bundle(proven, case)
        else:
            reservations, reopens = judge_reservation(proven, case)
    except Refused as refused:
        proven = refused.proven
        outcome = {"decision": "REFUSE", "refusal": refused.refusal, "told": told(refused.refusal)}
        lock_out = refused.lock_out or if_refused
        first = proven["reservation_id"] if proven else ""
    else:
        first, *then = reservations
        outcome = {"decision": "OPEN", "reopens": reopens, "next": then}
        proves_nothing_new = "token" in credential or reopens or proven["id"] in case["state"]["spent"]
        lock_out = before if proves_nothing_new else after_right_pin(before)
    shown = proven or {"act": "", "bundle_id": "", "delegated": False}
    return {
        **outcome,
        "act": shown["act"],
        "reservation_id": first,
        "bundle_id": shown["bundle_id"],
        "delegated": shown["delegated"],
        "credential_hash": encode(hashlib.sha256(shown["id"].encode()).digest()) if "id" in shown else "",
        "lock_out": lock_out,
    }


def told(refusal):
    """What the person at the door sees; it reveals nothing about a credential that does not open."""
    holders = {"NO_COMPARTMENT": "NO_PLACE_FREE", "SITE_OUT_OF_SERVICE": "NO_DEPOSITS"}
    return {"LOCKED_OUT": "PINS_LOCKED", **holders}.get(refusal, "NOT_ACCEPTED")


def is_revoked(credential_hash, proven, case):
    """Whether the gateway's list revokes the credential for its subject: a site's list applies to SERVICE only."""
    if proven["act"] == "SERVICE":
        subject, wanted = "site_id", case["site_id"]
    else:
        subject = "bundle_id" if proven["bundle_id"] else "reservation_id"
        wanted = proven[subject]
    return any(
        one["credential_hash"] == credential_hash and one.get(subject) == wanted for one in case["state"]["revoked"]
    )


def open_once_more(spent_id, case):
    """The reservations whose doors the credential has opened and may open again."""
    return [
        visit["reservation_id"]
        for visit in case["state"]["visits"]
        if visit["credential_id"] == spent_id
        and visit["phase"] != "OPEN"
        and visit["reopenings"] < MOST_REOPENINGS
        and case["now_ms"] < visit["grace_until_ms"]
    ]


def judge_reservation(proven, case):
    """The reservation whose door opens, and whether it reopens. Raises Refused."""
    state, act, reservation = case["state"], proven["act"], proven["reservation_id"]
    if open_once_more(proven["id"], case):
        return [reservation], True
    if proven["id"] in state["spent"]:
        raise Refused("SPENT", proven)
    refusal = why_shut(act, reservation, state, proven.get("size_class"))
    if refusal is not None:
        raise Refused(refusal, proven)
    return [reservation], False


def judge_bundle(proven, case):
    """The reservations of a bundle whose doors open one after another, and whether the first opens once more. Raises Refused."""
    state, credential_id = case["state"], proven["id"]
    is_spent = credential_id in state["spent"]
    if any(visit["credential_id"] == credential_id and visit["phase"] == "OPEN" for visit in state["visits"]):
        raise Refused("IN_USE", proven)
    members = next((one["reservation_ids"] for one in state["bundles"] if one["bundle_id"] == proven["bundle_id"]), [])
    if is_spent:
        left = next((one["reservation_ids"] for one in state["to_collect"] if one["credential_id"] == credential_id), [])
        members = [member for member in members if member in left]
    again = open_once_more(credential_id, case)
    refusals = [why_shut("COLLECT", member, state) for member in members]
    doors = again + [member for member, refusal in zip(members, refusals) if refusal is None]
    if not doors:
        raise Refused(refusals[0] if refusals else "SPENT" if is_spent else "NOT_DEPOSITED", proven)
    return doors, bool(again)


def why_shut(act, reservation, state, size_class=None):
    """Why no door opens for a reservation, or None."""
    if reservation in state["over"] or reservation in state["ended"]:
        return "RESERVATION_STATE"
    if any(visit["reservation_id"] == reservation for visit in state["visits"]):
        return "IN_USE"
    if act == "DEPOSIT" and reservation in state["inside"]:
        return "ALREADY_DEPOSITED"
    if act == "DEPOSIT" and not takes_parcels_in(state["site"]):
        return "SITE_OUT_OF_SERVICE"
    if act == "DEPOSIT" and size_class not in state["free_size_classes"]:
        return "NO_COMPARTMENT"
    if act != "DEPOSIT" and reservation not in state["inside"]:
        return "NOT_DEPOSITED"
    return None


def takes_parcels_in(site):
    """Whether a site is in service, or retired and keeping the reservations that it has. Unknown phases are out of service."""
    return site["lifecycle"] in ("UNSPECIFIED", "ACTIVE") or (site["lifecycle"] == "DECOMMISSIONED" and site["draining"])


def judge_service(proven, door, case):
    """The reservation whose parcel is behind the door that opens for service, and whether it opens once more. Raises Refused."""
    spent_id = f"{proven['id']}/{door}"
    again = open_once_more(spent_id, case)
    if again:
        return again, True
    if spent_id in case["state"]["spent"]:
        raise Refused("SPENT", proven)
    place = next((one for one in case["state"]["compartments"] if one["compartment_id"] == door), None)
    if place is None or proven["door"] not in ("", door):
        raise Refused("COMPARTMENT", proven)
    if proven["door"] == "" and (place["reservation_id"] != "" or place["occupied"]):
        raise Refused("OCCUPIED", proven)
    return [place["reservation_id"]], False
