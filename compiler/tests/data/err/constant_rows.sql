-- Rows of constants have no table, and so no key.
CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, day date NOT NULL);

CREATE VIEW v_board AS
SELECT s.status, jsonb_build_object('status', s.status, 'orders', count(o.id)) AS data
  FROM (VALUES ('draft'), ('placed')) AS s(status)
  LEFT JOIN orders AS o ON o.status = s.status
 GROUP BY s.status;

CREATE VIEW v_calendar AS
SELECT d.day, jsonb_build_object('day', d.day, 'orders', count(o.id)) AS data
  FROM generate_series(timestamp '2026-01-01', '2026-12-31', '1 day') AS d(day)
  LEFT JOIN orders AS o ON o.day = d.day
 GROUP BY d.day;
