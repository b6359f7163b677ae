"""Enums and parties of the gateway's JSON, as statements spell them."""


def name_of(message, member, prefix):
    """The name of an enum's value without the enum's own; of a value that has no name in the gateway's JSON, its number."""
    return str(message.get(member, "UNSPECIFIED")).removeprefix(prefix)


def state_of(message, member):
    return name_of(message, member, "RESERVATION_STATE_")


def party(message):
    """A party, or None where there is none."""
    if message is None:
        return None
    return {"kind": name_of(message, "kind", "PARTY_KIND_"), "participant_id": message.get("participantId", "")}
