"""The courier's walk through the sites of the gateway's sandbox, see docs/guides/sandbox.md: `courier.py --sandbox`."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timezone
from typing import Any, Callable

from gateway import CALL_TIMEOUT_S, Gateway, GatewayError

# What to do with a parcel at each site, once a place is confirmed: a step in small letters is the courier's, one in capitals is the event to
# wait for before the next. Where `Reserve` is refused there is nothing to do.
WALKS: dict[str, list[str]] = {
    "sandbox-plain": ["deposit", "PARCEL_DEPOSITED", "collect", "PARCEL_COLLECTED"],
    "sandbox-full": [],
    "sandbox-closed": [],
    # Its lock does not open. In earnest a courier would redirect the parcel.
    "sandbox-jammed": ["deposit", "DOOR_REFUSED", "cancel", "RESERVATION_CANCELLED"],
    "sandbox-slow": ["deposit", "PARCEL_DEPOSITED", "collect", "PARCEL_COLLECTED"],
    # The no-show is taken back when the terminal reports.
    "sandbox-offline": ["deposit", "RESERVATION_NO_SHOW", "PARCEL_DEPOSITED", "collect"],
    "sandbox-in-doubt": ["deposit", "RESERVATION_IN_DOUBT", "RESERVATION_NO_SHOW"],
    "sandbox-overdue": ["deposit", "PARCEL_OVERDUE", "extend", "collect", "PARCEL_COLLECTED"],
    "sandbox-retired": ["RESERVATION_CANCELLED"],
}

PARCEL = {"widthMm": 300, "heightMm": 200, "depthMm": 150, "massG": 1200}

Show = Callable[..., None]


def name_of(message: Any, field: str, prefix: str) -> str:
    """Returns the name of an enum field's value without its prefix, or its number if a newer gateway sends an unknown value."""
    number = getattr(message, field)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name.removeprefix(prefix) if value is not None else str(number)


def walk_sandbox(gateway: Gateway, show: Show) -> None:
    """Walks through all sites, one after the other; some minutes, since reports and deadlines take their time there too."""
    for site in gateway.call("SandboxService", "ListSandboxSites", {}).sites:
        show("site", ref=site.operator_site_ref, siteId=site.site_id)
        _walk_site(gateway, show, site.site_id, WALKS.get(site.operator_site_ref, []))


def _walk_site(gateway: Gateway, show: Show, site_id: str, walk: list[str]) -> None:
    cursor = gateway.call("CustodyService", "ListEvents", {"fromNow": True}).next_cursor
    reservation_id = _reserve(gateway, show, site_id)
    if reservation_id is None:
        return
    seen: set[str] = set()
    for step in walk:
        if step in ("deposit", "collect"):
            _visit(gateway, show, site_id, reservation_id, step.upper())
        elif step == "cancel":
            cancellation = {"requestId": str(uuid.uuid4()), "reservationId": reservation_id, "reason": "CANCELLATION_REASON_SITE_PROBLEM"}
            gateway.call("ReservationService", "Cancel", cancellation)
        elif step == "extend":
            until = datetime.fromtimestamp(time.time() + 12 * 3600, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            gateway.call("ReservationService", "Extend", {"requestId": str(uuid.uuid4()), "reservationId": reservation_id, "until": until})
        else:
            cursor = _until_event(gateway, show, reservation_id, step, seen, cursor)


def _until_event(gateway: Gateway, show: Show, reservation_id: str, wanted: str, seen: set[str], cursor: str) -> str:
    """Follows the events until there has been one of a type. Returns the cursor after them."""
    wait_s = 20
    while wanted not in seen:
        show("waiting", **{"for": wanted})
        page = gateway.call("CustodyService", "ListEvents", {"cursor": cursor, "wait": f"{wait_s}s"}, CALL_TIMEOUT_S + wait_s)
        for event in page.events:
            if event.reservation_id == reservation_id:
                seen.add(name_of(event, "type", "EVENT_TYPE_"))
                show("event", type=name_of(event, "type", "EVENT_TYPE_"))
        cursor = page.next_cursor
    return cursor


def _reserve(gateway: Gateway, show: Show, site_id: str) -> str | None:
    """Reserves a place at a site and confirms it. None if the site takes no parcel."""
    try:
        request = {"requestId": str(uuid.uuid4()), "siteId": site_id, "parcel": PARCEL}
        reservation_id = gateway.call("ReservationService", "Reserve", request).reservation.reservation_id
    except GatewayError as error:
        if error.reason not in ("NO_PLACE_FREE", "SITE_NOT_ACCEPTING"):
            raise
        show("refused", reason=error.reason)
        return None
    gateway.call("ReservationService", "Confirm", {"requestId": str(uuid.uuid4()), "reservationId": reservation_id})
    show("confirmed", reservationId=reservation_id)
    return reservation_id


def _visit(gateway: Gateway, show: Show, site_id: str, reservation_id: str, act: str) -> None:
    """Sends a driver or recipient with a new access token to the terminal."""
    issue = {"requestId": str(uuid.uuid4()), "reservationId": reservation_id, "act": f"ACT_{act}"}
    token = gateway.call("ReservationService", "IssueCredential", issue).access_token
    visit = gateway.call("SandboxService", "VisitSandboxSite", {"siteId": site_id, "accessToken": token})
    refusal = {} if visit.opened else {"refusal": name_of(visit, "refusal", "SANDBOX_REFUSAL_")}
    show("visited", act=act, opened=visit.opened, **refusal)
