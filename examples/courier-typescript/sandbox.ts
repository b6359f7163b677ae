/** The courier's walk through the sites of the gateway's sandbox, see docs/guides/sandbox.md: `courier.ts --sandbox`. */
import { randomUUID } from "node:crypto";
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, ActSchema, CancellationReason, CustodyService, EventTypeSchema, ReservationService } from "@petak/protocol";
import { SandboxRefusalSchema, SandboxService } from "@petak/protocol/sandbox";

type Call = <I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  init: MessageInitShape<I>,
  timeoutMs?: number,
) => Promise<MessageShape<O>>;

/** Prints a step as a line of JSON. */
type Print = (step: string, facts: object) => void;

/**
 * What to do with a parcel at each site, once a place is confirmed: a step in small letters is the courier's, one in capitals is the event to wait for before the
 * next. Where `Reserve` is refused there is nothing to do.
 */
const walks: Readonly<Record<string, readonly string[]>> = {
  "sandbox-plain": ["deposit", "PARCEL_DEPOSITED", "collect", "PARCEL_COLLECTED"],
  "sandbox-full": [],
  "sandbox-closed": [],
  // Its lock does not open. In earnest a courier would redirect the parcel.
  "sandbox-jammed": ["deposit", "DOOR_REFUSED", "cancel", "RESERVATION_CANCELLED"],
  "sandbox-slow": ["deposit", "PARCEL_DEPOSITED", "collect", "PARCEL_COLLECTED"],
  // The no-show is taken back when the terminal reports.
  "sandbox-offline": ["deposit", "RESERVATION_NO_SHOW", "PARCEL_DEPOSITED", "collect"],
  "sandbox-in-doubt": ["deposit", "RESERVATION_IN_DOUBT", "RESERVATION_NO_SHOW"],
  "sandbox-overdue": ["deposit", "PARCEL_OVERDUE", "extend", "collect", "PARCEL_COLLECTED"],
  "sandbox-retired": ["RESERVATION_CANCELLED"],
};

const parcel = { widthMm: 300, heightMm: 200, depthMm: 150, massG: 1200 };

/** Walks through all sites, one after the other; some minutes, since reports and deadlines take their time there too. */
export async function walkSandbox(call: Call, print: Print): Promise<void> {
  const { sites } = await call(SandboxService.method.listSandboxSites, {});
  for (const { operatorSiteRef, siteId } of sites) {
    print("site", { ref: operatorSiteRef, siteId });
    await walkSite(call, print, siteId, walks[operatorSiteRef] ?? []);
  }
}

async function walkSite(call: Call, print: Print, siteId: string, walk: readonly string[]): Promise<void> {
  let cursor = (await call(CustodyService.method.listEvents, { fromNow: true })).nextCursor;
  const reservationId = await reserve(call, print, siteId);
  if (reservationId === undefined) return;
  const seen = new Set<string>();

  /** Follows the events until there has been one of a type. */
  async function untilEvent(wanted: string): Promise<void> {
    const waitMs = 20_000;
    while (!seen.has(wanted)) {
      print("waiting", { for: wanted });
      const page = await call(CustodyService.method.listEvents, { cursor, wait: durationFromMs(waitMs) }, 10_000 + waitMs);
      for (const event of page.events.filter((one) => one.reservationId === reservationId)) {
        const type = EventTypeSchema.value[event.type]?.name.replace("EVENT_TYPE_", "") ?? String(event.type);
        seen.add(type);
        print("event", { type });
      }
      cursor = page.nextCursor;
    }
  }

  for (const step of walk) {
    if (step === "deposit") await visit(call, print, { siteId, reservationId, act: Act.DEPOSIT });
    else if (step === "collect") await visit(call, print, { siteId, reservationId, act: Act.COLLECT });
    else if (step === "cancel") {
      await call(ReservationService.method.cancel, { requestId: randomUUID(), reservationId, reason: CancellationReason.SITE_PROBLEM });
    } else if (step === "extend") {
      await call(ReservationService.method.extend, {
        requestId: randomUUID(),
        reservationId,
        until: timestampFromMs(Date.now() + 12 * 3_600_000),
      });
    } else await untilEvent(step);
  }
}

/** Reserves a place at a site and confirms it. Undefined if the site takes no parcel. */
async function reserve(call: Call, print: Print, siteId: string): Promise<string | undefined> {
  try {
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await call(ReservationService.method.reserve, { requestId: randomUUID(), place, parcel });
    const reservationId = reservation?.reservationId ?? "";
    await call(ReservationService.method.confirm, { requestId: randomUUID(), reservationId });
    print("confirmed", { reservationId });
    return reservationId;
  } catch (error) {
    const { reason } = error as { reason?: string };
    if (reason !== "NO_PLACE_FREE" && reason !== "SITE_NOT_ACCEPTING") throw error;
    print("refused", { reason });
    return undefined;
  }
}

/** Sends a driver or recipient with a new access token to the terminal. */
async function visit(call: Call, print: Print, { siteId, reservationId, act }: { siteId: string; reservationId: string; act: Act }) {
  const { accessToken } = await call(ReservationService.method.issueCredential, { requestId: randomUUID(), reservationId, act });
  const credential = { case: "accessToken", value: accessToken } as const;
  const { opened, refusal } = await call(SandboxService.method.visitSandboxSite, { siteId, credential });
  const why = SandboxRefusalSchema.value[refusal]?.name.replace("SANDBOX_REFUSAL_", "");
  print("visited", { act: ActSchema.value[act]?.name.replace("ACT_", ""), opened, ...(!opened && { refusal: why }) });
}
