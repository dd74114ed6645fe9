-- Rows of constants are no table's: something has to tell them apart, and what compares with them has to be of their type.
CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL, day date NOT NULL);

CREATE VIEW v_board AS
SELECT s.status, jsonb_build_object('status', s.status, 'orders', (SELECT count(*) FROM orders AS o WHERE o.status = s.status)) AS data
  FROM (VALUES ('draft', 1), ('draft', 2)) AS s(status, step);

CREATE VIEW v_step AS
SELECT s.status, jsonb_build_object('status', s.status, 'orders', count(o.id)) AS data
  FROM (VALUES ('draft', 1), ('placed', 2)) AS s(status, step)
  LEFT JOIN orders AS o ON o.status = s.status
 GROUP BY s.status || s.step;

CREATE VIEW v_calendar AS
SELECT d.day, jsonb_build_object('day', d.day, 'orders', count(o.id)) AS data
  FROM generate_series(timestamp '2026-01-01', '2026-12-31', '1 day') AS d(day)
  LEFT JOIN orders AS o ON o.day = d.day
 GROUP BY d.day;

CREATE VIEW v_later AS
SELECT d.day, jsonb_build_object('day', d.day, 'orders', (SELECT count(*) FROM orders AS o WHERE o.day > d.day)) AS data
  FROM (SELECT t::date AS day FROM generate_series(timestamp '2026-01-01', '2026-12-31', '1 day') AS t) AS d;

CREATE VIEW v_missing AS
SELECT s.status, jsonb_build_object('status', s.status, 'orders', count(o.id)) AS data
  FROM (VALUES ('draft'), (NULL)) AS s(status)
  LEFT JOIN orders AS o ON o.status = s.status
 GROUP BY s.status;
