import { emptyCall, findNearestAllOverCall, findNearestCall, oneReserveCall, type Protocol, protocols, reserveCall } from "./cases.ts";
import type { LoadRequest } from "./generators.ts";
import type { PinnedServer } from "./pinned-process.ts";

/** Something that is measured. */
export interface Subject {
  what: string;
  protocol: Protocol | "HTTP/1.1";
  isHttp2: boolean;
  request: LoadRequest;
  server: PinnedServer;
  /** What it is compared with: another subject by name and protocol, and the ratio of their rates that is wanted. */
  target?: { peer: string; protocol: Protocol | "HTTP/1.1"; ratio: number };
}

/** Names that figures are compared by. */
export const names = {
  netJson: "bare node:net, the bytes of FindNearest in JSON",
  netReserve: "bare node:net, the bytes of Reserve in JSON",
  bareJson: "bare node:http, the bytes of FindNearest in JSON",
  bareBinary: "bare node:http, the bytes of FindNearest in binary",
  bareReserve: "bare node:http, the bytes of Reserve in JSON",
  stock: "stock connect-node, nothing",
  grpcJs: "grpc-js, nothing",
  nothing: "gateway, nothing",
  findNearest: "gateway, FindNearest from all over the city",
  findNearestOnePlace: "gateway, FindNearest from one place, repeated",
  reserve: "gateway, Reserve the nearest",
} as const;

/** The servers of a run, ready to answer. */
export interface Servers {
  gateway: PinnedServer;
  netJson: PinnedServer;
  netReserve: PinnedServer;
  bareJson: PinnedServer;
  bareBinary: PinnedServer;
  bareReserve: PinnedServer;
  stock: PinnedServer;
  stockHttp2: PinnedServer;
  grpcJs: PinnedServer;
}

/** All that is measured, peers first. */
export function subjectsOf(servers: Servers, authorization: string): Subject[] {
  const { gateway, stock, stockHttp2, grpcJs } = servers;
  const bare = (what: string, server: PinnedServer, request: LoadRequest): Subject => ({
    what,
    protocol: "HTTP/1.1",
    isHttp2: false,
    request: { ...request, url: `http://127.0.0.1:${server.ready.port}/` },
    server,
  });
  const { port } = gateway.ready;
  return [
    bare(names.netJson, servers.netJson, findNearestCall(port, "Connect JSON", authorization)),
    bare(names.netReserve, servers.netReserve, oneReserveCall(port, authorization)),
    bare(names.bareJson, servers.bareJson, findNearestCall(port, "Connect JSON", authorization)),
    bare(names.bareBinary, servers.bareBinary, findNearestCall(port, "Connect binary", authorization)),
    bare(names.bareReserve, servers.bareReserve, oneReserveCall(port, authorization)),
    ...protocols.map(({ protocol, isHttp2 }): Subject => {
      const server = isHttp2 ? stockHttp2 : stock;
      return { what: names.stock, protocol, isHttp2, request: emptyCall(server.ready.port, protocol), server };
    }),
    { what: names.grpcJs, protocol: "gRPC", isHttp2: true, request: emptyCall(grpcJs.ready.port, "gRPC"), server: grpcJs },
    ...protocols.map(({ protocol, isHttp2 }): Subject => {
      const target = { peer: names.stock, protocol, ratio: 1 };
      return { what: names.nothing, protocol, isHttp2, request: emptyCall(port, protocol), server: gateway, target };
    }),
    {
      what: names.findNearest,
      protocol: "Connect JSON",
      isHttp2: false,
      request: findNearestAllOverCall(port, "Connect JSON", authorization),
      server: gateway,
      target: { peer: names.bareJson, protocol: "HTTP/1.1", ratio: 0.4 },
    },
    {
      what: names.findNearest,
      protocol: "Connect binary",
      isHttp2: false,
      request: findNearestAllOverCall(port, "Connect binary", authorization),
      server: gateway,
      target: { peer: names.bareBinary, protocol: "HTTP/1.1", ratio: 0.4 },
    },
    ...protocols.map(
      ({ protocol, isHttp2 }): Subject => ({
        what: names.findNearestOnePlace,
        protocol,
        isHttp2,
        request: findNearestCall(port, protocol, authorization),
        server: gateway,
        // The generator for HTTP/2 sends one body only, so gRPC is compared from one place.
        ...(protocol === "gRPC" && { target: { peer: names.grpcJs, protocol, ratio: 0.8 } }),
      }),
    ),
    {
      what: names.reserve,
      protocol: "Connect JSON",
      isHttp2: false,
      request: reserveCall(port, authorization),
      server: gateway,
      target: { peer: names.bareReserve, protocol: "HTTP/1.1", ratio: 0.2 },
    },
  ];
}

/** What is measured at a rate that is kept: the gateway, and what the machine does to servers that do nothing else. */
export function pacedSubjectsOf(servers: Servers, authorization: string): Subject[] {
  const wanted = new Set<string>([names.netJson, names.bareJson, names.findNearest]);
  return subjectsOf(servers, authorization).filter(
    ({ what, isHttp2, protocol }) => wanted.has(what) && !isHttp2 && protocol !== "Connect binary",
  );
}
