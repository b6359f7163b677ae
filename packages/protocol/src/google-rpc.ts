/** The messages of google.rpc for error details. */
export {
  type BadRequest,
  type BadRequest_FieldViolation,
  BadRequestSchema,
  type ErrorInfo,
  ErrorInfoSchema,
  type PreconditionFailure,
  PreconditionFailureSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.ts";
export { type Status, StatusSchema } from "./gen/google/rpc/status_pb.ts";
