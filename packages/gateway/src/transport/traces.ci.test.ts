import { createClient } from "@connectrpc/connect";
import { CustodyService, DirectoryService } from "@petak/protocol";
import { expect, test } from "vitest";
import { http2Request } from "./testing/raw-http.ts";
import { goodRequest, startTestGateway, type TestGatewayOptions, transports } from "./testing/test-gateway.ts";

const trace = { trace_id: "0af7651916cd43dd8448eb211c80319c", span_id: "b7ad6b7169203331" };
const headers = { traceparent: `00-${trace.trace_id}-${trace.span_id}-01` };

const ways: [string, TestGatewayOptions][] = [
  ["as calls usually go", {}],
  ["without the HTTP/1.1 fast reader", { hasHttp1FastReader: false }],
  ["by the stock adapter", { hasUnaryFastPath: false }],
];

for (const [way, options] of ways) {
  test.each(Object.entries(transports))(`%s, ${way}: the lines of calls have the caller's trace`, async (_name, transport) => {
    const { baseUrl, lines } = await startTestGateway(options);
    const directory = createClient(DirectoryService, transport(baseUrl));
    await directory.findNearest(goodRequest, { headers });
    await directory.findNearest({ ...goodRequest, limit: 13 }, { headers }).catch(() => undefined);
    await directory.getSite({ siteId: "x" }, { headers }).catch(() => undefined);
    for await (const _ of createClient(CustodyService, transport(baseUrl)).watchEvents({}, { headers }));
    await directory.findNearest(goodRequest, { headers: { traceparent: headers.traceparent.slice(1) } });
    await directory.findNearest(goodRequest);
    const traces = () =>
      lines.filter(({ msg }) => msg === "rpc").map(({ code, trace_id, span_id }) => [code, trace_id && { trace_id, span_id }]);
    await expect.poll(traces).toHaveLength(6);
    expect(traces().slice(0, 4)).toEqual([
      ["ok", trace],
      ["internal", trace],
      ["unimplemented", trace],
      ["ok", trace],
    ]);
    expect(traces().slice(4)).toEqual([
      ["ok", undefined],
      ["ok", undefined],
    ]);
  });
}

test("the line of a call of no method has the caller's trace, and two traces are none", async () => {
  const { port, lines } = await startTestGateway();
  const request = { ":path": "/petak.v1.Nothing/AtAll", "content-type": "application/json" };
  await http2Request(port, { ...request, ...headers }, Buffer.from("{}"));
  await http2Request(port, { ...request, traceparent: [headers.traceparent, headers.traceparent] }, Buffer.from("{}"));
  const rpcs = lines.filter(({ msg }) => msg === "rpc");
  expect(rpcs.map(({ method, trace_id }) => [method, trace_id])).toEqual([
    ["unknown", trace.trace_id],
    ["unknown", undefined],
  ]);
});
