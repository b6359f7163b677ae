/**
 * The peer's tables for whole lives. Columns that change with each transition (counts, watermarks, states) are in no index where possible,
 * so that the row is updated within its page (HOT), and pages have room for that. The deadline is in an index because the clock searches
 * for it.
 */
export const schema = `
CREATE TABLE capacity (
  site_id int NOT NULL, size_class smallint NOT NULL, free int NOT NULL, held int NOT NULL, occupied int NOT NULL,
  PRIMARY KEY (site_id, size_class)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0.1);
CREATE TABLE agent_key (
  site_id int NOT NULL, key_id text NOT NULL, watermark bigint NOT NULL,
  PRIMARY KEY (site_id, key_id)
) WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0.1);
CREATE TABLE idempotency (
  participant_id text NOT NULL, request_id uuid NOT NULL, fingerprint bytea NOT NULL, reservation_id bigint NOT NULL, answer bytea,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (participant_id, request_id)
);
CREATE SEQUENCE reservation_ids CACHE 32;
CREATE TABLE reservation (
  reservation_id bigint PRIMARY KEY, participant_id text NOT NULL, operator_id text NOT NULL, site_id int NOT NULL, size_class smallint NOT NULL,
  state smallint NOT NULL, revision int NOT NULL, width_mm int NOT NULL, height_mm int NOT NULL, depth_mm int NOT NULL, mass_g int NOT NULL,
  partner_reference text NOT NULL, compartment_id text NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
  deadline timestamptz, deposited_at timestamptz, collected_at timestamptz
) WITH (fillfactor = 70);
CREATE INDEX reservation_deadline ON reservation (deadline) WHERE deadline IS NOT NULL;
CREATE TABLE credential_use (
  token_id uuid PRIMARY KEY, reservation_id bigint NOT NULL, act smallint NOT NULL, used_at timestamptz NOT NULL
);
CREATE TABLE event (
  event_id bigint GENERATED ALWAYS AS IDENTITY (CACHE 32) PRIMARY KEY, transaction_id xid8 NOT NULL DEFAULT pg_current_xact_id(),
  type smallint NOT NULL, reservation_id bigint NOT NULL, site_id int NOT NULL, operator_id text NOT NULL, participant_id text NOT NULL,
  state_before smallint NOT NULL, state_after smallint NOT NULL, revision int NOT NULL, partner_reference text NOT NULL,
  credential_hash text, device_sequence bigint, occurred_at timestamptz NOT NULL, recorded_at timestamptz NOT NULL
);
CREATE INDEX event_chain ON event (reservation_id);
CREATE INDEX event_delivery ON event (transaction_id, event_id);
`;

const eventColumns = `type, reservation_id, site_id, operator_id, participant_id, state_before, state_after, revision, partner_reference,
    credential_hash, device_sequence, occurred_at, recorded_at`;

/**
 * Each act is one statement, and so one transaction and one round trip. With a known request id, a missing place, another state or a report
 * out of order, it writes nothing more and returns no row.
 */
export const statements = {
  /** $1 participant, $2 request id, $3 fingerprint, $4 site, $5 width, $6 height, $7 depth in mm, $8 mass in g, $9 reference, $10 now, $11 deadline */
  reserve: `
WITH known AS (
  INSERT INTO idempotency (participant_id, request_id, fingerprint, reservation_id, created_at)
  VALUES ($1, $2, $3, nextval('reservation_ids'), $10) ON CONFLICT DO NOTHING RETURNING reservation_id
), taken AS (
  UPDATE capacity SET free = free - 1, held = held + 1 FROM known WHERE site_id = $4 AND size_class = 0 AND free > 0
  RETURNING site_id, known.reservation_id
), made AS (
  INSERT INTO reservation (reservation_id, participant_id, operator_id, site_id, size_class, state, revision, width_mm, height_mm, depth_mm, mass_g,
    partner_reference, compartment_id, created_at, updated_at, deadline)
  SELECT reservation_id, $1, 'par_0000000000000001', site_id, 0, 4, 1, $5, $6, $7, $8, $9, '', $10, $10, $11 FROM taken RETURNING *
)
INSERT INTO event (${eventColumns})
SELECT 1, reservation_id, site_id, operator_id, participant_id, 0, state, revision, partner_reference, NULL, NULL, $10, $10 FROM made
RETURNING reservation_id`,
  /** $1 participant, $2 request id, $3 fingerprint, $4 reservation, $5 now, $6 deadline, $7 answer */
  confirm: `
WITH known AS (
  INSERT INTO idempotency (participant_id, request_id, fingerprint, reservation_id, answer, created_at)
  VALUES ($1, $2, $3, $4, $7, $5) ON CONFLICT DO NOTHING RETURNING reservation_id
), moved AS (
  UPDATE reservation SET state = 6, revision = revision + 1, updated_at = $5, deadline = $6 FROM known
  WHERE reservation.reservation_id = known.reservation_id AND participant_id = $1 AND state = 4 AND deadline > $5 RETURNING reservation.*
)
INSERT INTO event (${eventColumns})
SELECT 2, reservation_id, site_id, operator_id, participant_id, 4, state, revision, partner_reference, NULL, NULL, $5, $5 FROM moved
RETURNING reservation_id`,
  /** $1 site, $2 agent's key, $3 sequence, $4 reservation, $5 now, $6 deadline, $7 token id, $8 credential's hash, $9 compartment */
  deposit: `
WITH mark AS (
  UPDATE agent_key SET watermark = $3 WHERE site_id = $1 AND key_id = $2 AND watermark = $3 - 1 RETURNING site_id
), moved AS (
  UPDATE reservation SET state = 9, revision = revision + 1, updated_at = $5, deadline = $6, deposited_at = $5, compartment_id = $9 FROM mark
  WHERE reservation_id = $4 AND reservation.site_id = mark.site_id AND state = 6 RETURNING reservation.*
), counted AS (
  UPDATE capacity SET held = held - 1, occupied = occupied + 1 FROM moved
  WHERE capacity.site_id = moved.site_id AND capacity.size_class = moved.size_class
), used AS (
  INSERT INTO credential_use SELECT $7, reservation_id, 1, $5 FROM moved
)
INSERT INTO event (${eventColumns})
SELECT 3, reservation_id, site_id, operator_id, participant_id, 6, state, revision, partner_reference, $8, $3, $5, $5 FROM moved
RETURNING reservation_id`,
  /** $1 site, $2 agent's key, $3 sequence, $4 reservation, $5 now, $6 token id, $7 credential's hash */
  collect: `
WITH mark AS (
  UPDATE agent_key SET watermark = $3 WHERE site_id = $1 AND key_id = $2 AND watermark = $3 - 1 RETURNING site_id
), moved AS (
  UPDATE reservation SET state = 10, revision = revision + 1, updated_at = $5, deadline = NULL, collected_at = $5 FROM mark
  WHERE reservation_id = $4 AND reservation.site_id = mark.site_id AND state = 9 RETURNING reservation.*
), counted AS (
  UPDATE capacity SET occupied = occupied - 1, free = free + 1 FROM moved
  WHERE capacity.site_id = moved.site_id AND capacity.size_class = moved.size_class
), used AS (
  INSERT INTO credential_use SELECT $6, reservation_id, 2, $5 FROM moved
)
INSERT INTO event (${eventColumns})
SELECT 4, reservation_id, site_id, operator_id, participant_id, 9, state, revision, partner_reference, $7, $3, $5, $5 FROM moved
RETURNING reservation_id`,
  /**
   * New events, without missing one that is committed late: only those that no running transaction can precede. $1 and $2: transaction and
   * event that were read last.
   */
  listen: `
SELECT transaction_id::text, event_id::text, recorded_at FROM event
WHERE (transaction_id, event_id) > ($1::xid8, $2::bigint) AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY event.transaction_id, event.event_id LIMIT 1000`,
} as const;
