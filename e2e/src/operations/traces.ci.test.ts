import { randomUUID } from "node:crypto";
import { Role } from "@petak/protocol";
import { makeSite, startTraceCollector, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, onTestFinished, test } from "vitest";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const traceId = "0af7651916cd43dd8448eb211c80319c";
const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };

test("a courier's call is a span in the courier's trace, sent before the gateway has stopped", async () => {
  const collector = await startTraceCollector();
  onTestFinished(() => collector.stop());
  const network = await startTestNetwork({ redis, otlpEndpoint: collector.endpoint, otlpSamplePercent: 0 });
  try {
    const operator = await network.join("Operator", [Role.OPERATOR]);
    const siteId = await network.putSite(operator, makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 3]] }));
    const courier = await network.join("Courier", [Role.COURIER]);
    const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel } as const;
    await courier.client.reservations.reserve(request, { headers });
    await expect.poll(() => network.log().filter(({ trace_id }) => trace_id === traceId)).toHaveLength(1);
    const [line] = network.log().filter(({ trace_id }) => trace_id === traceId);
    await network.gateway.stop();
    const [span, ...others] = collector.spans;
    expect(others).toEqual([]);
    expect(span).toMatchObject({ name: "petak.v1.ReservationService/Reserve", traceId, parentSpanId: "b7ad6b7169203331" });
    expect(span?.attributes).toMatchObject({ "rpc.status_code": "OK", "petak.participant": line?.participant });
    expect(line).toMatchObject({ msg: "rpc", span_id: span?.spanId });
  } finally {
    await network.stop();
  }
});
