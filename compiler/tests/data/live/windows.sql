-- Window functions with partitions, DISTINCT ON, the latest and the top of a group.
CREATE TABLE player (id integer PRIMARY KEY, name text NOT NULL, team integer);
CREATE TABLE score (id integer PRIMARY KEY, game integer NOT NULL, player_id integer NOT NULL REFERENCES player ON DELETE CASCADE, points integer NOT NULL, round integer);
CREATE INDEX ON score (game);
CREATE INDEX ON score (player_id);
CREATE INDEX ON score (round);

CREATE VIEW v_board AS
SELECT s.id, jsonb_build_object('player', p.name, 'points', s.points,
       'rank', rank() OVER (PARTITION BY s.game ORDER BY s.points DESC),
       'total', sum(s.points) OVER (PARTITION BY s.game),
       'in_round', count(*) OVER w) AS data
  FROM score s JOIN player p ON p.id = s.player_id
WINDOW w AS (PARTITION BY s.round);

CREATE VIEW v_top AS
SELECT p.id, jsonb_build_object('name', p.name, 'best', (
         SELECT jsonb_agg(jsonb_build_object('id', t.id, 'n', t.points) ORDER BY t.n)
           FROM (SELECT s.id, s.points, s.player_id, row_number() OVER (PARTITION BY s.player_id ORDER BY s.points DESC, s.id) AS n FROM score s) t
          WHERE t.player_id = p.id AND t.n <= 2)) AS data
  FROM player p;

CREATE VIEW v_latest AS
SELECT DISTINCT ON (s.player_id) s.player_id, jsonb_build_object('game', s.game, 'points', s.points, 'name', p.name) AS data
  FROM score s JOIN player p ON p.id = s.player_id
 ORDER BY s.player_id, s.points DESC, s.id;

CREATE VIEW v_with_latest AS
SELECT p.id, jsonb_build_object('name', p.name, 'last', l.points, 'game', l.game) AS data
  FROM player p
  LEFT JOIN (SELECT DISTINCT ON (player_id) player_id, points, game FROM score ORDER BY player_id, id DESC) l ON l.player_id = p.id;

CREATE VIEW v_team AS
SELECT p.id, jsonb_build_object('rank', dense_rank() OVER (PARTITION BY p.team ORDER BY s.total DESC)) AS data
  FROM player p
  JOIN (SELECT player_id, sum(points) AS total FROM score GROUP BY player_id) s ON s.player_id = p.id;

-- A window over groups that HAVING has left; a window over a subquery.
CREATE VIEW v_active AS
SELECT s.player_id, jsonb_build_object('sum', sum(s.points), 'rank', rank() OVER (PARTITION BY s.player_id % 2 ORDER BY sum(s.points) DESC, s.player_id)) AS data
  FROM score s GROUP BY s.player_id HAVING count(*) > 1;

CREATE VIEW v_crowd AS
SELECT p.id, jsonb_build_object('place', rank() OVER (PARTITION BY p.name ORDER BY (SELECT count(*) FROM score s WHERE s.player_id = p.id), p.id)) AS data
  FROM player p;

-- The window in a query that is outer-joined.
CREATE VIEW v_joined AS
SELECT p.id, jsonb_build_object('scores', jsonb_agg(jsonb_build_object('id', t.id, 'rank', t.rank) ORDER BY t.id)) AS data
  FROM player p
  LEFT JOIN (SELECT s.id, s.player_id, rank() OVER (PARTITION BY s.player_id ORDER BY s.points DESC) AS rank FROM score s) t ON t.player_id = p.id
 GROUP BY p.id;
