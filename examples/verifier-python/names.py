"""Enums and parties of the gateway's JSON, as statements contain them."""


def name_of(message, member, prefix):
    """The name of an enum's value without the enum's prefix; of a value that is a number in the gateway's JSON, that number."""
    return str(message.get(member, "UNSPECIFIED")).removeprefix(prefix)


def state_of(message, member):
    return name_of(message, member, "RESERVATION_STATE_")


def requirement_name(value):
    """The name of a parcel's requirement."""
    return str(value).removeprefix("PARCEL_REQUIREMENT_")


def cash(amount):
    """An amount of money as reports and receipts contain it."""
    return f'{amount.get("currencyCode", "")} {amount.get("units", 0)}.{amount.get("nanos", 0):09}'


def party(message):
    """A party, or None if there is none."""
    if message is None:
        return None
    return {"kind": name_of(message, "kind", "PARTY_KIND_"), "participant_id": message.get("participantId", "")}
