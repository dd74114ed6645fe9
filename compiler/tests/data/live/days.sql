-- Days and hours that generate_series makes of a row: they tell the rows apart, none is NULL, and what is computed of them has a type.
CREATE TABLE room (id integer PRIMARY KEY, name text);
CREATE TABLE stay (id integer PRIMARY KEY, room_id integer REFERENCES room ON DELETE CASCADE, starts date NOT NULL,
                   nights integer NOT NULL CHECK (nights BETWEEN 0 AND 4), begins timestamp NOT NULL, wakes timestamptz, price numeric,
                   CHECK (isfinite(starts) AND isfinite(begins) AND isfinite(wakes)));
CREATE INDEX ON stay (room_id);

-- A row for each day of each stay.
CREATE VIEW v_night AS
SELECT s.id, d.day, jsonb_build_object('day', d.day, 'room', r.name, 'price', s.price) AS data
  FROM stay s LEFT JOIN room r ON r.id = s.room_id
 CROSS JOIN LATERAL generate_series(s.starts, s.starts + s.nights, '1 day') AS d(day);

CREATE VIEW v_hour AS
SELECT d.hour, s.id, jsonb_build_object('room', r.name, 'hour', d.hour, 'after', d.hour - s.begins) AS data
  FROM stay s JOIN room r ON r.id = s.room_id
 CROSS JOIN LATERAL generate_series(s.begins, s.begins + interval '3 hours', interval '1 hour') AS d(hour);

-- No row where one of the bounds is NULL.
CREATE VIEW v_alarm AS
SELECT s.id, d.at AS alarm, jsonb_build_object('at', d.at) AS data
  FROM stay s CROSS JOIN LATERAL generate_series(s.wakes, s.wakes + interval '20 minutes', interval '10 minutes') AS d(at);

-- A row for each day on which there are stays.
CREATE VIEW v_day AS
SELECT d.day::date AS day, jsonb_build_object('n', count(*), 'stays', jsonb_agg(s.id ORDER BY s.id, d.day)) AS data
  FROM stay s CROSS JOIN LATERAL generate_series(s.starts::timestamp, s.starts::timestamp + interval '30 hours', interval '10 hours') AS d(day)
 GROUP BY d.day::date;

CREATE VIEW v_date AS
SELECT s.starts + d.n AS day, jsonb_build_object('stays', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM stay s CROSS JOIN LATERAL generate_series(0, s.nights) AS d(n)
 GROUP BY s.starts + d.n;

CREATE VIEW v_end AS
SELECT s.starts + s.nights AS day, jsonb_build_object('stays', jsonb_agg(s.id ORDER BY s.id), 'price', max(s.price)) AS data
  FROM stay s GROUP BY s.starts + s.nights;

CREATE VIEW v_length AS
SELECT s.begins - s.starts AS late, jsonb_build_object('stays', jsonb_agg(s.id ORDER BY s.id)) AS data
  FROM stay s GROUP BY s.begins - s.starts;

-- The step decides what kind of numbers it makes; of literals and a step of hours it makes times in a zone.
CREATE VIEW v_half AS
SELECT s.id, d.n, jsonb_build_object('n', d.n, 'price', s.price) AS data
  FROM stay s CROSS JOIN LATERAL generate_series(1, s.nights, 0.5) AS d(n);

CREATE VIEW v_noon AS
SELECT s.id, d.noon, jsonb_build_object('is_there', d.noon::date = s.starts) AS data
  FROM stay s CROSS JOIN LATERAL generate_series('2020-01-01', '2020-01-02', interval '12 hours') AS d(noon);

CREATE DOMAIN day AS date;
CREATE TABLE leave (id integer PRIMARY KEY, first day NOT NULL CHECK (isfinite(first)), room_id integer REFERENCES room);
CREATE INDEX ON leave (room_id);
CREATE VIEW v_leave AS
SELECT l.id, d.half, jsonb_build_object('half', d.half, 'room', r.name) AS data
  FROM leave l LEFT JOIN room r ON r.id = l.room_id CROSS JOIN LATERAL generate_series(l.first, l.first::timestamp + interval '2 days', '12 hours') AS d(half);

-- What a LATERAL item says of rows before it holds for its own rows only, on either side of an outer join.
CREATE VIEW v_free AS
SELECT s.id, r.id AS room_id, jsonb_build_object('stay', s.price, 'room', r.name, 'leave', b.first) AS data
  FROM stay s, LATERAL (SELECT l.room_id, l.first FROM leave l WHERE l.id = s.id) b RIGHT JOIN room r ON r.id = b.room_id;
