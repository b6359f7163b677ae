"""Hand-over lists that a courier and a site sign, judged in the order of docs/handover.md."""

import hashlib
import json

from access_token import is_low_order, is_text
from canonical import decode, encode, framed, parse
from certificate import is_bytes, parse_object
from proof import is_signed_by

MOST_ENTRIES = 200
LONGEST_CODE = 800
LONGEST_CERTIFICATE = 600
LONGEST_LIFE_S = 36 * 3600
SKEW_S = 300
REASONS = {
    "OK": [""],
    "DAMAGED": ["CRUSHED", "LEAKING", "OPENED", "WET", "OTHER"],
    "REFUSED": ["DAMAGED", "FORBIDDEN", "NO_PLACE", "NOT_ANNOUNCED", "NOT_FOUND", "TOO_LARGE", "UNREADABLE", "WRONG_SITE", "OTHER"],
}
LIST_MEMBERS = ["version", "site_id", "direction", "courier_id", "nonce", "at_ms", "entries"]
ENTRY_MEMBERS = ["reservation_id", "label_code", "condition", "reason"]
STATEMENT_MEMBERS = ["version", "site_id", "direction", "courier_id", "nonce", "at_ms", "ok", "damaged", "refused", "list_hash"]
CERTIFICATE_MEMBERS = ["version", "courier_id", "x", "site_id", "nbf", "exp"]


def judge_handover(case):
    """What is wrong with what both sides keep of a hand-over, or None."""
    listed = read_list(case["list"])
    if listed is None:
        return "list"
    signed = read_site_statement(case["site_statement"])
    if isinstance(signed, str):
        return signed
    claims, site_key, signature, text = signed
    if claims["site_id"] != case["site_id"]:
        return "site"
    if case["site_keys"] is not None and site_key not in case["site_keys"]:
        return "site_key"
    if not is_good(site_key, signature, text):
        return "site_signature"
    own = claims_of(listed)
    for member, fault in {
        "site_id": "site",
        "direction": "direction",
        "courier_id": "courier",
        "nonce": "nonce",
        "at_ms": "time",
        "ok": "counts",
        "damaged": "counts",
        "refused": "counts",
        "list_hash": "list_hash",
    }.items():
        if claims[member] != own[member]:
            return fault
    return judge_courier_code(case["courier_code"], claims, case["courier_keys"])


def judge_courier_code(code, claims, courier_keys):
    """What is wrong with a courier's answer to a site's statement, or None."""
    parts = code.split("~")
    if len(parts) != 4 or parts[0] != "petak-handover" or not is_bytes(parts[1], 32) or not is_bytes(parts[2], 64):
        return "answer"
    if parts[1] != claims["list_hash"]:
        return "answer_list"
    certificate = judge_certificate(parts[3], claims, courier_keys)
    if isinstance(certificate, str):
        return certificate
    driver_key = certificate["x"]
    text = compact({"alg": "EdDSA", "typ": "petak-handover-courier", "kid": driver_key}, claims)
    return None if is_good(driver_key, decode(parts[2]), text) else "courier_signature"


def judge_certificate(text, claims, courier_keys):
    """The claims of a driver's certificate, or what is wrong with it."""
    parts = text.split(".")
    header, certificate = (parse_object(part) for part in (parts + ["", ""])[:2])
    if len(text) > LONGEST_CERTIFICATE or len(parts) != 3 or header is None or certificate is None or not is_bytes(parts[2], 64):
        return "certificate_form"
    if list(header) != ["alg", "typ", "kid"] or header["alg"] != "EdDSA" or header["typ"] != "petak-driver":
        return "certificate_form"
    if not (
        list(certificate) == CERTIFICATE_MEMBERS
        and is_int(certificate["version"], 1, 1)
        and is_courier(certificate["courier_id"])
        and is_text(header["kid"], "[A-Za-z0-9_-]{1,64}")
        and is_bytes(certificate["x"], 32)
        and (certificate["site_id"] == "" or is_site(certificate["site_id"]))
        and all(is_int(certificate[name], 0, 9_999_999_999) for name in ("nbf", "exp"))
        and 0 < certificate["exp"] - certificate["nbf"] <= LONGEST_LIFE_S
    ):
        return "certificate_claims"
    if certificate["courier_id"] != claims["courier_id"]:
        return "certificate_courier"
    keys = [key["public_key"] for key in courier_keys if (key["courier_id"], key["key_id"]) == (claims["courier_id"], header["kid"])]
    if not keys or is_low_order(decode(certificate["x"])):
        return "certificate_key"
    if not is_good(keys[0], decode(parts[2]), ".".join(parts[:2])):
        return "certificate_signature"
    if certificate["site_id"] not in ("", claims["site_id"]):
        return "certificate_site"
    is_in_time = (certificate["nbf"] - SKEW_S) * 1000 <= claims["at_ms"] < certificate["exp"] * 1000
    return certificate if is_in_time else "certificate_time"


def is_handed_over(receipt):
    """Whether the proof in a receipt shows that the courier's driver and the site's agent signed a list with its parcel."""
    proof, report, is_incoming = receipt["proof"], receipt["report"], receipt["act"] == "DEPOSITED"
    courier_id = (receipt["given_by" if is_incoming else "received_by"] or {}).get("participant_id", "")
    parts = proof.get("handover", "").split("~")
    signed = read_site_statement(parts[0])
    if isinstance(signed, str) or len(parts) != 7 or not is_bytes(proof.get("courier_public_key"), 32):
        return False
    claims, site_key, signature, text = signed
    if claims["site_id"] != receipt["site_id"] or site_key != report["public_key"] or not is_good(site_key, signature, text):
        return False
    expected = ("IN" if is_incoming else "OUT", courier_id, proof["credential_hash"])
    if (claims["direction"], claims["courier_id"], claims["list_hash"]) != expected:
        return False
    header = parse_object((parts[2].split(".") + [""])[0]) or {}
    keys = [{"courier_id": courier_id, "key_id": header.get("kid"), "public_key": proof["courier_public_key"]}]
    code = "~".join(["petak-handover", claims["list_hash"], parts[1], parts[2]])
    return judge_courier_code(code, claims, keys) is None and is_listed(parts[3:], claims, receipt["reservation_id"])


def is_listed(parts, claims, reservation_id):
    """Whether a reservation's parcel is in a list and was handed over: index, condition, reason, and the path to the list's hash."""
    index, condition, reason, path = parts
    count = claims["ok"] + claims["damaged"] + claims["refused"]
    hashes = decode(path)
    if not is_text(index, "0|[1-9][0-9]{0,2}") or int(index) >= count or hashes is None or len(hashes) % 32:
        return False
    if condition not in ("OK", "DAMAGED") or reason not in REASONS[condition]:
        return False
    entry = {"reservation_id": reservation_id, "label_code": "", "condition": condition, "reason": reason}
    at, node = int(index), entry_hash(claims["nonce"], entry)
    while count > 1:
        if at ^ 1 < count:
            other, hashes = hashes[:32], hashes[32:]
            node = hashlib.sha256(b"\1" + (node + other if at % 2 == 0 else other + node)).digest()
        at, count = at >> 1, (count + 1) >> 1
    return hashes == b"" and encode(node) == claims["list_hash"]


def find_list(code, parcels):
    """The site's list, found by its code among a courier's parcels, and the differences."""
    nothing = {"list": None, "missing": None, "unknown": None}
    statement, *rest = code.split("~")
    if len(code) > LONGEST_CODE or len(rest) > 2:
        return {"fault": "form", **nothing}
    signed = read_site_statement(statement)
    if isinstance(signed, str):
        return {"fault": signed, **nothing}
    claims, site_key, signature, text = signed
    if not is_good(site_key, signature, text):
        return {"fault": "site_signature", **nothing}
    own = sorted(parcels, key=name_of)
    if not rest:
        entries = [{**parcel, "condition": "OK", "reason": ""} for parcel in own]
        return {"fault": None, "list": list_of(claims, entries), "missing": [], "unknown": 0}
    count = claims["ok"] + claims["damaged"] + claims["refused"]
    expected = read_marks(rest, count)
    if expected is None:
        return {"fault": "form", **nothing}

    def is_marked(parcel, one):
        return mark_of(claims["nonce"], {**parcel, **one[1]}) == one[0]

    pairs = longest_match(own, expected, is_marked)
    paired = {i for i, _ in pairs}
    unpaired = [i for i in range(len(own)) if i not in paired]
    found, missing = None, unpaired
    for alternative in alternatives(pairs, unpaired, lambda i, j: is_marked(own[i], expected[j])) if len(pairs) == count else []:
        found = list_of(claims, [{**own[i], **expected[j][1]} for i, j in alternative])
        if found is not None:
            missing = [i for i in range(len(own)) if i not in {i for i, _ in alternative}]
            break
    return {"fault": None, "list": found, "missing": [own[i] for i in missing], "unknown": count - len(pairs)}


def alternatives(pairs, unpaired, is_marked):
    """The pairs, and those in which a parcel without an entry takes the place of one that has the same mark."""
    yield pairs
    for parcel in unpaired:
        for at, (_, entry) in enumerate(pairs):
            if is_marked(parcel, entry):
                yield [*pairs[:at], (parcel, entry), *pairs[at + 1 :]]


def read_marks(parts, count):
    """For each entry its mark, and its condition with the reason. None if they are malformed."""
    marks = decode(parts[0])
    if marks is None or len(marks) != 2 * count or len(parts) != 2:
        return None
    entries = [(marks[2 * i : 2 * i + 2], {"condition": "OK", "reason": ""}) for i in range(count)]
    last = -1
    for text in parts[1].split(",") if parts[1] else []:
        index, condition, reason = (text.split(".") + ["", ""])[:3] if text.count(".") == 2 else ("", "", "")
        if not is_text(index, "0|[1-9][0-9]{0,2}") or not last < int(index) < count:
            return None
        if condition == "OK" or reason not in REASONS.get(condition, []):
            return None
        last = int(index)
        entries[last] = (entries[last][0], {"condition": condition, "reason": reason})
    return entries


def longest_match(ones, others, is_same):
    """The most pairs of indices of equal elements, in the order of both lists."""
    same = [[is_same(one, other) for other in others] for one in ones]
    lengths = [[0] * (len(others) + 1) for _ in range(len(ones) + 1)]
    for i in reversed(range(len(ones))):
        for j in reversed(range(len(others))):
            lengths[i][j] = max(lengths[i + 1][j], lengths[i][j + 1], lengths[i + 1][j + 1] + 1 if same[i][j] else 0)
    pairs, i, j = [], 0, 0
    while i < len(ones) and j < len(others):
        if same[i][j] and lengths[i][j] == lengths[i + 1][j + 1] + 1:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def list_of(claims, entries):
    """The text of the list with these entries, if it is the one of a statement; otherwise None."""
    listed = {name: claims[name] for name in LIST_MEMBERS[:-1]} | {"entries": entries}
    return write(listed) if entries and list_hash(listed) == claims["list_hash"] else None


def read_list(text):
    listed = parse(text)
    if not isinstance(listed, dict) or list(listed) != LIST_MEMBERS or not are_common(listed):
        return None
    entries = listed["entries"]
    if not isinstance(entries, list) or not 1 <= len(entries) <= MOST_ENTRIES or not all(is_entry(entry) for entry in entries):
        return None
    names = [name_of(entry) for entry in entries]
    return listed if all(one < other for one, other in zip(names, names[1:])) else None


def is_entry(entry):
    if not isinstance(entry, dict) or list(entry) != ENTRY_MEMBERS:
        return False
    reservation, label = entry["reservation_id"], entry["label_code"]
    is_parcel = (is_text(reservation, "res_[0-9a-z_]{1,60}") and label == "") or (reservation == "" and is_text(label, "[ -~]{1,64}"))
    return is_parcel and isinstance(entry["condition"], str) and entry["reason"] in REASONS.get(entry["condition"], [])


def read_site_statement(text):
    """Claims, key, signature and the signed text, or what is wrong with their form."""
    parts = text.split(".")
    header, claims = (parse_object(part) for part in (parts + ["", ""])[:2])
    if len(parts) != 3 or header is None or claims is None or not is_bytes(parts[2], 64):
        return "form"
    if header.get("alg") != "EdDSA" or header.get("typ") != "petak-handover-site":
        return "typ"
    if list(header) != ["alg", "typ", "kid"] or not is_bytes(header["kid"], 32):
        return "form"
    if list(claims) != STATEMENT_MEMBERS or not are_common(claims) or not is_bytes(claims["list_hash"], 32):
        return "claims"
    counts = [claims[name] for name in ("ok", "damaged", "refused")]
    if not all(is_int(count, 0, MOST_ENTRIES) for count in counts) or not 1 <= sum(counts) <= MOST_ENTRIES:
        return "claims"
    return claims, header["kid"], decode(parts[2]), ".".join(parts[:2])


def are_common(claims):
    """Whether the members that a list and a statement share are in range."""
    return (
        is_int(claims["version"], 1, 1)
        and is_site(claims["site_id"])
        and claims["direction"] in ("IN", "OUT")
        and is_courier(claims["courier_id"])
        and is_bytes(claims["nonce"], 16)
        and is_int(claims["at_ms"], 0, 9_999_999_999_999)
    )


def claims_of(listed):
    counts = {name: sum(entry["condition"] == name.upper() for entry in listed["entries"]) for name in ("ok", "damaged", "refused")}
    return {name: listed[name] for name in LIST_MEMBERS[:-1]} | counts | {"list_hash": list_hash(listed)}


def list_hash(listed):
    """The root over the hashes of the entries: each pair becomes one, and the last of an odd number goes up as it is."""
    level = [entry_hash(listed["nonce"], entry) for entry in listed["entries"]]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [hashlib.sha256(b"\1" + b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return encode(level[0])


def entry_hash(nonce, entry):
    return hashlib.sha256(framed("petak-handover-entry", nonce, write({name: entry[name] for name in ENTRY_MEMBERS}))).digest()


def mark_of(nonce, entry):
    return entry_hash(nonce, entry)[:2]


def name_of(parcel):
    return parcel["reservation_id"], parcel["label_code"]


def is_good(key, signature, text):
    return not is_low_order(decode(key)) and is_signed_by(key, signature, text.encode())


def is_site(value):
    return is_text(value, "site_[0-9a-z_]{1,35}")


def is_courier(value):
    return is_text(value, "par_[0-9a-hjkmnp-tv-z]{16}")


def is_int(value, least, most):
    return type(value) is int and least <= value <= most


def compact(header, claims):
    return ".".join(encode(write(part).encode()) for part in (header, claims))


def write(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
