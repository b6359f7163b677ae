import { type DescEnum, type DescFile, type DescMessage, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** The files of a set of services, found by what server reflection asks for. */
export interface DescriptorIndex {
  /** Full names of the services, sorted. */
  readonly serviceNames: readonly string[];
  /** Returns the file of that name, e.g. `petak/v1/geo.proto`. */
  fileNamed(name: string): DescFile | undefined;
  /** Returns the file that declares a symbol, by its full name: message, field, oneof, enum, enum value, service, method or extension. */
  fileDeclaring(symbol: string): DescFile | undefined;
  /** Returns the file that extends a message with a field of that number. */
  fileExtending(typeName: string, fieldNumber: number): DescFile | undefined;
  /** Returns the numbers of a message's extensions, ascending. Undefined if there is no such message. */
  extensionNumbers(typeName: string): readonly number[] | undefined;
  /** Returns the serialized descriptor of a file. */
  bytesOf(file: DescFile): Uint8Array;
}

/**
 * Indexes everything that the services' files declare or import.
 *
 * @param others files that no service imports but whose messages are sent, such as the details of errors
 */
export function indexDescriptors(services: readonly DescService[], others: readonly DescFile[] = []): DescriptorIndex {
  const files = new Map<string, DescFile>();
  const symbols = new Map<string, DescFile>();
  const extensions = new Map<string, Map<number, DescFile>>();
  const bytes = new Map<DescFile, Uint8Array>();

  function addEnum(desc: DescEnum, file: DescFile): void {
    symbols.set(desc.typeName, file);
    // In Protobuf the values of an enum are siblings of the enum; protoc also finds them inside it.
    const scope = desc.typeName.slice(0, desc.typeName.lastIndexOf(".") + 1);
    for (const { name } of desc.values) {
      symbols.set(`${scope}${name}`, file);
      symbols.set(`${desc.typeName}.${name}`, file);
    }
  }

  function addMessage(desc: DescMessage, file: DescFile): void {
    symbols.set(desc.typeName, file);
    for (const { name } of [...desc.fields, ...desc.oneofs]) symbols.set(`${desc.typeName}.${name}`, file);
    for (const nested of desc.nestedMessages) addMessage(nested, file);
    for (const nested of desc.nestedEnums) addEnum(nested, file);
    addExtensions(desc.nestedExtensions, file);
  }

  function addExtensions(descs: DescFile["extensions"], file: DescFile): void {
    for (const desc of descs) {
      symbols.set(desc.typeName, file);
      const byNumber = extensions.get(desc.extendee.typeName) ?? new Map<number, DescFile>();
      extensions.set(desc.extendee.typeName, byNumber.set(desc.number, file));
    }
  }

  function addFile(file: DescFile): void {
    const name = fileName(file);
    if (files.has(name)) return;
    files.set(name, file);
    for (const desc of file.messages) addMessage(desc, file);
    for (const desc of file.enums) addEnum(desc, file);
    for (const desc of file.services) {
      symbols.set(desc.typeName, file);
      for (const method of desc.methods) symbols.set(`${desc.typeName}.${method.name}`, file);
    }
    addExtensions(file.extensions, file);
    for (const dependency of file.dependencies) addFile(dependency);
  }

  for (const { file } of services) addFile(file);
  for (const file of others) addFile(file);
  const messageNames = new Set([...files.values()].flatMap((file) => allMessages(file.messages)).map(({ typeName }) => typeName));

  return {
    serviceNames: [...new Set(services.map(({ typeName }) => typeName))].sort(),
    fileNamed: (name) => files.get(name),
    fileDeclaring: (symbol) => symbols.get(symbol),
    fileExtending: (typeName, fieldNumber) => extensions.get(typeName)?.get(fieldNumber),
    extensionNumbers(typeName) {
      if (!messageNames.has(typeName)) return undefined;
      return [...(extensions.get(typeName)?.keys() ?? [])].sort((a, b) => a - b);
    },
    bytesOf(file) {
      const known = bytes.get(file);
      if (known !== undefined) return known;
      const made = toBinary(FileDescriptorProtoSchema, file.proto);
      bytes.set(file, made);
      return made;
    },
  };
}

/** Returns the name of a file as import statements spell it. */
export function fileName(file: DescFile): string {
  return file.proto.name;
}

function allMessages(messages: readonly DescMessage[]): DescMessage[] {
  return messages.flatMap((message) => [message, ...allMessages(message.nestedMessages)]);
}
