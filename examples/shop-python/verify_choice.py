"""Verifies the choice that a checkout page sent, on a shop's server. Debian has all that it needs: python3-jwt and python3-cryptography.

    python3 verify_choice.py CHOICE GATEWAY_URL PARTICIPANT_ID
"""

import json
import sys
import urllib.request

import jwt


def verify_choice(choice, keys, participant_id):
    """Returns what was chosen. Raises jwt.InvalidTokenError if this participant got no such choice from the gateway, or it has expired.

    keys: the gateway's /.well-known/petak/issuer-keys.json, read at most five minutes ago.

    Compare the result with the order: the site (`sub`), the sides of the parcel in ascending order (`sides_mm`), its mass (`mass_g`), its
    `requirements` and the `purpose`.
    """
    header = jwt.get_unverified_header(choice)
    # The same keys sign receipts and what opens doors: the type tells a choice from them.
    if header.get("typ") != "petak-choice":
        raise jwt.InvalidTokenError("it is not a choice")
    key = next((one for one in keys["keys"] if one["kid"] == header.get("kid")), None)
    if key is None:
        raise jwt.InvalidTokenError("no key of this gateway signed it")
    return jwt.decode(
        choice,
        jwt.PyJWK(key).key,
        algorithms=["EdDSA"],
        audience=participant_id,
        # The gateway's clock may be a little ahead of the shop's.
        options={"require": ["aud", "sub", "iat", "exp"], "verify_iat": False},
    )


def main():
    choice, gateway_url, participant_id = sys.argv[1:]
    with urllib.request.urlopen(f"{gateway_url}/.well-known/petak/issuer-keys.json", timeout=10) as answer:
        keys = json.load(answer)
    try:
        print(json.dumps(verify_choice(choice, keys, participant_id)))
    except jwt.InvalidTokenError as error:
        sys.exit(f"refused: {error}")


if __name__ == "__main__":
    main()
