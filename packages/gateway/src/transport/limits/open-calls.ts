import { Health, ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";

/** Services that strangers may call: they reveal nothing about the network. */
const openServices: ReadonlySet<string> = new Set([Health.typeName, ServerReflectionV1.typeName, ServerReflectionV1Alpha.typeName]);

/** Methods of other services that strangers may call: what shows who they are is in the message. */
const openMethods: ReadonlySet<string> = new Set(["petak.v1.AgentService/Enrol"]);

/** Whether a call needs no credentials. @param method the full name of the method, e.g. `petak.v1.AgentService/Enrol` */
export function isOpenCall(service: { readonly typeName: string }, method: string): boolean {
  return openServices.has(service.typeName) || openMethods.has(method);
}
