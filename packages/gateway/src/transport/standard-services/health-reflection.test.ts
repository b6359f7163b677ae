import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { CustodyService, DirectoryService } from "@petak/protocol";
import { Health, ServerReflectionV1, ServerReflectionV1Alpha, HealthCheckResponse_ServingStatus as Status } from "@petak/protocol/grpc";
import { describe, expect, onTestFinished, test } from "vitest";
import { startTestGateway } from "../testing/test-gateway.ts";

describe("health", () => {
  test("Check answers for the gateway, a service and an unknown service", async () => {
    const { baseUrl, health } = await startTestGateway();
    const client = createClient(Health, createGrpcTransport({ baseUrl }));
    expect((await client.check({})).status).toBe(Status.SERVING);
    expect((await client.check({ service: DirectoryService.typeName })).status).toBe(Status.SERVING);
    health.setServing(false, DirectoryService.typeName);
    expect((await client.check({ service: DirectoryService.typeName })).status).toBe(Status.NOT_SERVING);
    expect((await client.check({ service: CustodyService.typeName })).status).toBe(Status.SERVING);
    await expect(client.check({ service: "petak.v1.Nothing" })).rejects.toMatchObject({ code: 5 });
    expect(Object.keys((await client.list({})).statuses).sort()).toEqual(["", CustodyService.typeName, DirectoryService.typeName]);
  });

  test("Watch sends the current state, each change, and NOT_SERVING at the end", async () => {
    const { baseUrl, health, shutdown } = await startTestGateway();
    const client = createClient(Health, createGrpcTransport({ baseUrl }));
    const heard = client.watch({ service: DirectoryService.typeName })[Symbol.asyncIterator]();
    const next = async () => (await heard.next()).value?.status;
    expect(await next()).toBe(Status.SERVING);
    health.setServing(false);
    expect(await next()).toBe(Status.NOT_SERVING);
    health.setServing(true);
    expect(await next()).toBe(Status.SERVING);
    health.setServing(false);
    shutdown.abort();
    expect(await next()).toBe(Status.NOT_SERVING);
    expect((await heard.next()).done).toBe(true);
    const unknown = client.watch({ service: "petak.v1.Nothing" })[Symbol.asyncIterator]();
    expect((await unknown.next()).value?.status).toBe(Status.SERVICE_UNKNOWN);
  });
});

describe.each([
  ["v1", ServerReflectionV1],
  ["v1alpha", ServerReflectionV1Alpha],
] as const)("reflection %s", (_version, service) => {
  type Question = { case: string; value: unknown };

  async function ask(...questions: Question[]) {
    const { baseUrl } = await startTestGateway();
    const client = createClient(service as typeof ServerReflectionV1, createGrpcTransport({ baseUrl }));
    async function* requests() {
      for (const messageRequest of questions) yield { host: "h", messageRequest } as never;
    }
    const answers = [];
    for await (const answer of client.serverReflectionInfo(requests())) answers.push(answer);
    return answers.map(({ messageResponse }) => messageResponse);
  }

  async function filesFor(question: Question): Promise<FileDescriptorProto[]> {
    const [answer] = await ask(question);
    if (answer?.case !== "fileDescriptorResponse") throw new Error(`got ${answer?.case}`);
    return answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  }

  test("lists the services, including itself", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    expect(answer?.value).toMatchObject({
      service: [
        { name: "grpc.health.v1.Health" },
        { name: "grpc.reflection.v1.ServerReflection" },
        { name: "grpc.reflection.v1alpha.ServerReflection" },
        { name: "petak.v1.CustodyService" },
        { name: "petak.v1.DirectoryService" },
      ],
    });
  });

  test("returns a file with everything that it imports", async () => {
    const files = await filesFor({ case: "fileByFilename", value: "petak/v1/directory_service.proto" });
    const names = files.map(({ name }) => name);
    expect(names[0]).toBe("petak/v1/directory_service.proto");
    expect(names).toContain("buf/validate/validate.proto");
    for (const { dependency } of files) for (const imported of dependency) expect(names).toContain(imported);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each([
    ["a service", "petak.v1.DirectoryService", "petak/v1/directory_service.proto"],
    ["a method", "petak.v1.DirectoryService.FindNearest", "petak/v1/directory_service.proto"],
    ["a message", "petak.v1.LatLng", "petak/v1/geo.proto"],
    ["a field", "petak.v1.LatLng.latitude", "petak/v1/geo.proto"],
    ["an enum", "petak.v1.EventType", "petak/v1/custody.proto"],
    ["an enum value", "petak.v1.EVENT_TYPE_DOOR_OPENED", "petak/v1/custody.proto"],
    ["an imported message", "google.protobuf.Timestamp", "google/protobuf/timestamp.proto"],
    ["an extension", "buf.validate.field", "buf/validate/validate.proto"],
    ["an error's detail", "google.rpc.ErrorInfo", "google/rpc/error_details.proto"],
    ["an error's reason", "petak.v1.ErrorReason", "petak/v1/error_reason.proto"],
  ])("finds the file of %s", async (_what, value, file) => {
    expect((await filesFor({ case: "fileContainingSymbol", value }))[0]?.name).toBe(file);
  });

  test("finds extensions by their numbers", async () => {
    const type = "google.protobuf.FieldOptions";
    expect((await ask({ case: "allExtensionNumbersOfType", value: type }))[0]?.value).toMatchObject({
      baseTypeName: type,
      extensionNumber: [1159, 1160],
    });
    const question = { case: "fileContainingExtension", value: { containingType: type, extensionNumber: 1159 } };
    expect((await filesFor(question))[0]?.name).toBe("buf/validate/validate.proto");
  });

  test("answers each unanswerable request with an error, and continues", async () => {
    const answers = await ask(
      { case: "fileByFilename", value: "nothing.proto" },
      { case: "fileContainingSymbol", value: "x".repeat(3000) },
      { case: "allExtensionNumbersOfType", value: "petak.v1.Nothing" },
      { case: "fileContainingExtension", value: { containingType: "petak.v1.LatLng", extensionNumber: 1 } },
      { case: "listServices", value: "" },
    );
    expect(answers.map((answer) => (answer.case === "errorResponse" ? answer.value.errorCode : answer.case))).toEqual([
      5,
      5,
      5,
      5,
      "listServicesResponse",
    ]);
  });
});

test("grpc-js creates a client from reflection and makes a call", async () => {
  const { baseUrl, port } = await startTestGateway();
  const client = createClient(ServerReflectionV1, createGrpcTransport({ baseUrl }));
  async function* question() {
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "petak.v1.DirectoryService" } };
  }
  const file = [];
  for await (const { messageResponse } of client.serverReflectionInfo(question())) {
    if (messageResponse.case !== "fileDescriptorResponse") throw new Error("no files");
    for (const bytes of messageResponse.value.fileDescriptorProto) file.push(fromBinary(FileDescriptorProtoSchema, bytes));
  }
  const set = toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
  const definition = loadFileDescriptorSetFromBuffer(Buffer.from(set), { longs: Number, defaults: true });
  const Service = makeGenericClientConstructor(definition["petak.v1.DirectoryService"] as never, "DirectoryService");
  const directory = new Service(`127.0.0.1:${port}`, credentials.createInsecure());
  onTestFinished(() => directory.close());
  const call = (request: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      directory.findNearest?.(request, { deadline: Date.now() + 60_000 }, (error: Error | null, answer: unknown) =>
        error ? reject(error) : resolve(answer),
      );
    });
  const parcel = { width_mm: 1, height_mm: 1, depth_mm: 1, mass_g: 1 };
  expect(await call({ origin: { latitude: 1, longitude: 103 }, parcel, limit: 2 })).toMatchObject({ options: [{ free_to_promise: 2 }] });
  await expect(call({ origin: { latitude: 99, longitude: 103 }, parcel })).rejects.toMatchObject({
    code: 3,
    details: "origin.latitude: must be greater than or equal to -90 and less than or equal to 90",
  });
});
