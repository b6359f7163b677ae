import type { DescFile, DescService } from "@bufbuild/protobuf";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import { ErrorReasonSchema } from "@petak/protocol";
import { ErrorInfoSchema, StatusSchema } from "@petak/protocol/google-rpc";
import { ServerReflectionV1, ServerReflectionV1Alpha } from "@petak/protocol/grpc";
import { indexDescriptors } from "./descriptor-index.ts";

/** The longest name that an answer repeats, in characters. */
const maxNameChars = 1000;

/** A request of either version: they differ only in their package. */
type Question =
  | { case: "fileByFilename" | "fileContainingSymbol" | "allExtensionNumbersOfType" | "listServices"; value: string }
  | { case: "fileContainingExtension"; value: { containingType: string; extensionNumber: number } }
  | { case: undefined };
type Answer =
  | { case: "fileDescriptorResponse"; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: "allExtensionNumbersResponse"; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: "listServicesResponse"; value: { service: { name: string }[] } }
  | { case: "errorResponse"; value: { errorCode: number; errorMessage: string } };

/** Server reflection, in both versions that clients use. */
export interface Reflection {
  /** Adds grpc.reflection.v1 and v1alpha to a router. */
  routes(router: ConnectRouter): void;
}

/** The details of errors. No service imports these files, and a client without proto files needs them to read an error. */
const errorFiles = [StatusSchema.file, ErrorInfoSchema.file, ErrorReasonSchema.file];

/**
 * Creates server reflection, which lets clients such as grpcurl work without proto files.
 *
 * @param services the services to list, in addition to reflection itself
 */
export function createReflection(services: readonly DescService[]): Reflection {
  const index = indexDescriptors([...services, ServerReflectionV1, ServerReflectionV1Alpha], errorFiles);

  function answer(question: Question, sent: Set<DescFile>): Answer {
    switch (question.case) {
      case "listServices":
        return { case: "listServicesResponse", value: { service: index.serviceNames.map((name) => ({ name })) } };
      case "fileByFilename":
        return files(index.fileNamed(question.value), sent, "file", question.value);
      case "fileContainingSymbol":
        return files(index.fileDeclaring(question.value), sent, "symbol", question.value);
      case "fileContainingExtension": {
        const { containingType, extensionNumber } = question.value;
        return files(index.fileExtending(containingType, extensionNumber), sent, `extension ${extensionNumber} of`, containingType);
      }
      case "allExtensionNumbersOfType": {
        const numbers = index.extensionNumbers(question.value);
        if (numbers === undefined) return notFound("message", question.value);
        return { case: "allExtensionNumbersResponse", value: { baseTypeName: question.value, extensionNumber: [...numbers] } };
      }
      default:
        return failure(Code.InvalidArgument, "message_request: set one of its fields.");
    }
  }

  /** Returns a file and everything that it imports, except imports that this stream has already sent. */
  function files(file: DescFile | undefined, sent: Set<DescFile>, kind: string, name: string): Answer {
    if (file === undefined) return notFound(kind, name);
    const wanted = [file];
    const seen = new Set(wanted);
    for (const { dependencies } of wanted) {
      for (const dependency of dependencies) {
        if (seen.has(dependency)) continue;
        seen.add(dependency);
        wanted.push(dependency);
      }
    }
    const fileDescriptorProto = wanted.filter((one) => one === file || !sent.has(one)).map(index.bytesOf);
    for (const one of wanted) sent.add(one);
    return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
  }

  async function* answers<Request extends { host: string; messageRequest: Question }>(requests: AsyncIterable<Request>) {
    const sent = new Set<DescFile>();
    for await (const request of requests) {
      yield { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest, sent) };
    }
  }

  return {
    routes(router) {
      router.service(ServerReflectionV1, { serverReflectionInfo: answers });
      router.service(ServerReflectionV1Alpha, { serverReflectionInfo: answers });
    },
  };
}

function notFound(kind: string, name: string): Answer {
  return failure(Code.NotFound, `${kind} ${name.length > maxNameChars ? `of ${name.length} characters` : name.toWellFormed()}: not here.`);
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}
