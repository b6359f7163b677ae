/** What a store's agent and the tablets at its counter say to each other: generated messages and the service of `petak.counter.v1`. */
export * from "./gen/petak/counter/v1/counter_pb.ts";
export * from "./gen/petak/counter/v1/counter_service_pb.ts";
export * from "./gen/petak/counter/v1/entry_pb.ts";
