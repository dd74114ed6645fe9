-- A leaderboard: where each player stands in each season, what the gap to the one above is, and the best of every season.
-- Windows with PARTITION BY: a new score moves the others of its season, and nobody else.

CREATE TABLE player (
    id          integer PRIMARY KEY,
    nickname    text NOT NULL,
    country     char(2)
);

CREATE TABLE season (
    id          integer PRIMARY KEY,
    name        text NOT NULL,
    closed      boolean NOT NULL DEFAULT false
);

CREATE TABLE score (
    season_id   integer NOT NULL REFERENCES season (id) ON DELETE CASCADE,
    player_id   integer NOT NULL REFERENCES player (id) ON DELETE CASCADE,
    points      integer NOT NULL,
    games       integer NOT NULL DEFAULT 1,
    PRIMARY KEY (season_id, player_id)
);

CREATE INDEX ON score (player_id);

-- The standing of one player in one season.
CREATE VIEW v_standing AS
SELECT
    s.season_id,
    s.player_id,
    jsonb_build_object(
        'player', p.nickname,
        'points', s.points,
        'rank', rank() OVER (PARTITION BY s.season_id ORDER BY s.points DESC),
        'of', count(*) OVER (PARTITION BY s.season_id),
        'behind', lag(s.points) OVER (PARTITION BY s.season_id ORDER BY s.points DESC, s.player_id) - s.points
    ) AS data
FROM score s
JOIN player p ON p.id = s.player_id;

-- The three best of a season.
CREATE VIEW v_season AS
SELECT
    e.id,
    jsonb_build_object(
        'name', e.name,
        'closed', e.closed,
        'players', (SELECT count(*) FROM score s WHERE s.season_id = e.id),
        'podium', (
            SELECT jsonb_agg(jsonb_build_object('place', b.place, 'player', p.nickname, 'points', b.points)
                             ORDER BY b.place, b.player_id)
            FROM (
                SELECT s.season_id, s.player_id, s.points,
                       row_number() OVER (PARTITION BY s.season_id ORDER BY s.points DESC, s.player_id) AS place
                FROM score s
            ) b
            JOIN player p ON p.id = b.player_id
            WHERE b.season_id = e.id AND b.place <= 3
        )
    ) AS data
FROM season e;
