import { create, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import {
  AgentService,
  CancellationReason,
  CancelRequestSchema,
  CustodyService,
  DirectoryService,
  ListReservationsRequestSchema,
  ParticipantService,
  ReservationService,
  WebhookService,
} from "../index.ts";
import { prepareValidation, validateMessage } from "./validate.ts";

function refusalOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): unknown {
  try {
    validateMessage(schema, message);
  } catch (error) {
    return error;
  }
  return undefined;
}

const requestId = "5f0c2f9e-6b1d-4c53-9a3e-2d8f1b7a4e60";
const reservationId = "res_836520_kh2cbs8kjz4fmrpg";

test("an unspecified enum is reported with its possible values, named as in JSON", () => {
  const description =
    "must be set: CANCELLATION_REASON_CONSUMER_REQUEST, CANCELLATION_REASON_ORDER_CANCELLED, CANCELLATION_REASON_REROUTED, " +
    "CANCELLATION_REASON_DOES_NOT_FIT, CANCELLATION_REASON_SITE_PROBLEM, CANCELLATION_REASON_OTHER";
  expect(refusalOf(CancelRequestSchema, create(CancelRequestSchema, { requestId, reservationId }))).toMatchObject({
    reason: "INVALID_FIELD",
    message: `reason: ${description}`,
    fieldViolations: [{ field: "reason", description, rule: "enum.not_in" }],
  });
  const good = create(CancelRequestSchema, { requestId, reservationId, reason: CancellationReason.OTHER });
  expect(refusalOf(CancelRequestSchema, good)).toBeUndefined();
});

test("an element of a list is named by its index, and a long list of values is left out", () => {
  const states = create(ListReservationsRequestSchema, { states: [0] });
  expect(refusalOf(ListReservationsRequestSchema, states)).toMatchObject({
    fieldViolations: [expect.objectContaining({ field: "states[0]", description: expect.stringMatching(/^must be set/) })],
  });
});

test("the constraints of every request can be evaluated, which a gateway checks at its start", () => {
  const services = [AgentService, CustodyService, DirectoryService, ParticipantService, ReservationService, WebhookService];
  expect(() => prepareValidation(services)).not.toThrow();
});
