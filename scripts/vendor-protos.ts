import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto } from "@bufbuild/protobuf/wkt";
import { FieldDescriptorProto_Label as Label, FieldDescriptorProto_Type as Type } from "@bufbuild/protobuf/wkt";
import { repositoryDir } from "./setup/run.mjs";

const copies: [from: string, to: string][] = [
  ["node_modules/grpc-health-check/proto/health/v1/health.proto", "grpc/health/v1/health.proto"],
  ["node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto", "grpc/reflection/v1/reflection.proto"],
  ["node_modules/@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto", "grpc/reflection/v1alpha/reflection.proto"],
];

const protovalidate = join(repositoryDir, "node_modules/@bufbuild/protovalidate");
const { version } = JSON.parse(readFileSync(join(protovalidate, "package.json"), "utf8")) as { version: string };
const { file_buf_validate_validate: file } = (await import(join(protovalidate, "dist/esm/gen/buf/validate/validate_pb.js"))) as {
  file_buf_validate_validate: { proto: FileDescriptorProto };
};

/**
 * Writes the third-party protos that `petak.v1` and its gateway import, from npm packages, so that the protocol builds without a schema
 * registry. `buf/validate/validate.proto` is printed from the descriptor in `@bufbuild/protovalidate` (names, numbers and types; without
 * the CEL programs, which its own runtime contains); gRPC's health and reflection protos are copied from their packages.
 *
 * @param vendorDir the folder from which protos are imported
 */
export function vendorProtos(vendorDir: string): void {
  for (const [from, to] of copies) {
    const target = join(vendorDir, to);
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(repositoryDir, from), target);
  }
  const target = join(vendorDir, "buf/validate/validate.proto");
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, printFile());
}

function printFile(): string {
  const { proto } = file;
  const lines = [
    "// Copyright 2023-2026 Buf Technologies, Inc. Licensed under the Apache License, Version 2.0.",
    `// Printed by scripts/vendor-protos.ts from the descriptor in @bufbuild/protovalidate ${version}; do not edit.`,
    'syntax = "proto2";',
    "",
    `package ${proto.package};`,
    "",
    ...proto.dependency.map((path: string) => `import "${path}";`),
    "",
    ...proto.enumType.flatMap((descriptor: EnumDescriptorProto) => printEnum(descriptor, "")),
    ...proto.messageType.flatMap((descriptor: DescriptorProto) => printMessage(descriptor, "")),
    ...proto.extension.flatMap((field: FieldDescriptorProto) => [`extend ${field.extendee} {`, `  ${printField(field)}`, "}", ""]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function printMessage(message: DescriptorProto, indent: string): string[] {
  const inner = `${indent}  `;
  const lines = [`${indent}message ${message.name} {`];
  for (const nested of message.enumType) lines.push(...printEnum(nested, inner));
  for (const nested of message.nestedType) {
    if (nested.options?.mapEntry !== true) lines.push(...printMessage(nested, inner));
  }
  for (const field of message.field) {
    if (field.label === Label.REPEATED || !Object.hasOwn(field, "oneofIndex")) lines.push(`${inner}${printField(field)}`);
  }
  message.oneofDecl.forEach((oneof, index) => {
    lines.push(`${inner}oneof ${oneof.name} {`);
    for (const field of message.field) {
      if (Object.hasOwn(field, "oneofIndex") && field.oneofIndex === index) {
        lines.push(`${inner}  ${printField(field).replace(/^optional /, "")}`);
      }
    }
    lines.push(`${inner}}`);
  });
  for (const { start, end } of message.extensionRange) {
    lines.push(`${inner}extensions ${start} to ${end === 0x20000000 ? "max" : end - 1};`);
  }
  for (const { start, end } of message.reservedRange) lines.push(`${inner}reserved ${start} to ${end - 1};`);
  for (const name of message.reservedName) lines.push(`${inner}reserved "${name}";`);
  lines.push(`${indent}}`, "");
  return lines;
}

function printEnum(descriptor: EnumDescriptorProto, indent: string): string[] {
  return [
    `${indent}enum ${descriptor.name} {`,
    ...(descriptor.options?.allowAlias === true ? [`${indent}  option allow_alias = true;`] : []),
    ...descriptor.value.map((value) => `${indent}  ${value.name} = ${value.number};`),
    ...descriptor.reservedRange.map(({ start, end }) => `${indent}  reserved ${start} to ${end};`),
    `${indent}}`,
    "",
  ];
}

function printField(field: FieldDescriptorProto): string {
  const label = { [Label.OPTIONAL]: "optional", [Label.REQUIRED]: "required", [Label.REPEATED]: "repeated" }[field.label];
  const scalar = Object.entries(Type)
    .find(([, number]) => number === field.type)?.[0]
    .toLowerCase();
  const type = field.typeName === "" ? scalar : field.typeName;
  const preset = field.defaultValue === "" ? "" : ` [default = ${field.defaultValue}]`;
  return `${label} ${type} ${field.name} = ${field.number}${preset};`;
}
