/**
 * The peer's tables. Sites are found by KNN over a partial GiST index for each size, in which full sites are not: `has_free` stands in the
 * index's condition and changes only when the last place goes, while `free`, which changes with every hold, stands in no index, so that a hold
 * updates its row in the page (HOT) and no index. Half of each page is left for that.
 *
 * Places are in metres on a plane around the equator of the sphere, which is true to 0.1 m within the city and a fifth faster than `geography`.
 */
export const schema = `
CREATE EXTENSION postgis;
CREATE TABLE size_place (
  site_id int NOT NULL,
  size_class smallint NOT NULL,
  free int NOT NULL,
  has_free boolean NOT NULL,
  place geometry(Point) NOT NULL,
  PRIMARY KEY (site_id, size_class)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);
CREATE TABLE reservation (
  reservation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  participant_id text NOT NULL,
  request_id uuid NOT NULL,
  fingerprint bytea NOT NULL,
  site_id int NOT NULL,
  size_class smallint NOT NULL,
  state smallint NOT NULL,
  width_mm int NOT NULL,
  height_mm int NOT NULL,
  depth_mm int NOT NULL,
  mass_g int NOT NULL,
  partner_reference text NOT NULL,
  revision int NOT NULL,
  created_at timestamptz NOT NULL,
  hold_expires_at timestamptz NOT NULL,
  UNIQUE (participant_id, request_id)
);
CREATE INDEX reservation_deadline ON reservation (hold_expires_at);
CREATE TABLE event (
  event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  type smallint NOT NULL,
  reservation_id bigint NOT NULL,
  site_id int NOT NULL,
  participant_id text NOT NULL,
  state_before smallint NOT NULL,
  state_after smallint NOT NULL,
  occurred_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX event_chain ON event (reservation_id);
`;

/** Made once the sites are in. */
export const indexes = [0, 1, 2].map(
  (sizeClass) => `CREATE INDEX size_place_${sizeClass} ON size_place USING gist (place) WHERE size_class = ${sizeClass} AND has_free`,
);

/**
 * Finds and holds in one statement and one round trip. The nearest site is read without a lock and its place taken only where it is still
 * there: who takes the last place in between makes this statement do nothing, and it has to be tried again. That is 2 to 16 % cheaper for the server than
 * `FOR UPDATE SKIP LOCKED`, which writes each row once more and which PostgreSQL 17 cannot do in the order of `<->`: the index knows only
 * boxes of these points, so that rows wait in a queue until no nearer one can come, and come out of it without their place in the table
 * ("attempted to lock invisible tuple").
 *
 * A request id that is known does nothing either, and one that a twin used in between fails the statement as a whole.
 *
 * Parameters: x and y in m, participant, request id, fingerprint, width, height, depth in mm, mass in g, the partner's reference, when and until when.
 */
export function reserveStatement(sizeClass: number): string {
  return `
WITH nearest AS MATERIALIZED (
  SELECT site_id FROM size_place
  WHERE size_class = ${sizeClass} AND has_free
    AND NOT EXISTS (SELECT FROM reservation WHERE participant_id = $3 AND request_id = $4)
  ORDER BY place <-> ST_Point($1, $2) LIMIT 1
), taken AS (
  UPDATE size_place SET free = free - 1, has_free = free > 1 FROM nearest
  WHERE size_place.site_id = nearest.site_id AND size_class = ${sizeClass} AND has_free
  RETURNING size_place.site_id
), made AS (
  INSERT INTO reservation (participant_id, request_id, fingerprint, site_id, size_class, state, width_mm, height_mm, depth_mm, mass_g,
    partner_reference, revision, created_at, hold_expires_at)
  SELECT $3, $4, $5, site_id, ${sizeClass}, 1, $6, $7, $8, $9, $10, 1, $11, $12 FROM taken
  RETURNING reservation_id, site_id, participant_id, created_at
)
INSERT INTO event (type, reservation_id, site_id, participant_id, state_before, state_after, occurred_at)
SELECT 1, reservation_id, site_id, participant_id, 0, 1, created_at FROM made
RETURNING site_id`;
}

/** The site of a reservation that the same request got before. Parameters: participant, request id. */
export const repeatedStatement = "SELECT site_id FROM reservation WHERE participant_id = $1 AND request_id = $2";
