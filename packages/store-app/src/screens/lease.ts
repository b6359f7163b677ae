import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ClerkRole, TakeBackLeaseSchema } from "@petak/protocol/counter";
import { notice } from "@petak/ui";
import { html, nothing, type TemplateResult } from "lit";
import type { App } from "../app/app.ts";

/** Who may hand over now, where that is not everybody. */
export function leaseNotice(app: App): TemplateResult | typeof nothing {
  const { say } = app;
  if (app.isReachable !== false) return leaseAway(app);
  const endsAtMs = app.lease.endsAtMs();
  if (endsAtMs === undefined) return notice("attention", say("offlineNoHandOver"));
  return notice("attention", say("aloneUntil", { time: say.time(endsAtMs, app.nowMs()) }));
}

/** Whether another tablet has the lease and does not answer. */
export function isLeaseAway({ counter, tabletId }: App): boolean {
  return counter?.lease?.isAway === true && counter.lease.tabletId !== tabletId;
}

/** Says so. The owner can take the lease back. */
function leaseAway(app: App): TemplateResult | typeof nothing {
  const { say, counter, view } = app;
  const lease = counter?.lease;
  if (lease === undefined || !isLeaseAway(app)) return nothing;
  const time = say.time(lease.endsAt === undefined ? 0 : timestampMs(lease.endsAt), app.nowMs());
  const takeBack = (): void => {
    app.setView({ isTakingBack: false });
    void app.submit({ case: "takeBackLease", value: create(TakeBackLeaseSchema, { leaseNumber: lease.number }) });
  };
  const ask = html`<button class="button" type="button" @click=${() => app.setView({ isTakingBack: true })}>${say("takeBackLease")}</button>`;
  const risk = html`<p>${say("takeBackRisk", { time })}</p>
    <div class="pair">
      <button class="button" type="button" @click=${takeBack}>${say("takeBackLease")}</button>
      <button class="button primary" type="button" @click=${() => app.setView({ isTakingBack: false })}>${say("cancel")}</button>
    </div>`;
  const isOwner = counter?.clerk?.role === ClerkRole.OWNER;
  const away = html`<p>${say("leaseAway", { time })}</p>${isOwner ? ask : nothing}`;
  return notice("attention", html`<div class="stack">${isOwner && view.isTakingBack === true ? risk : away}</div>`);
}
