import { type Client, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { CounterService } from "@petak/protocol/counter";

/** Clients of one tablet, which keeps the cookie of its session, also where its agent is found at another address later. */
export function createTabletClients(): (baseUrl: string) => Client<typeof CounterService> {
  let cookie = "";
  return (baseUrl) => {
    const transport = createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      interceptors: [
        (next) => async (call) => {
          call.header.set("cookie", cookie);
          const response = await next(call);
          cookie = response.header.get("set-cookie")?.split(";")[0] ?? cookie;
          return response;
        },
      ],
    });
    return createClient(CounterService, transport);
  };
}
