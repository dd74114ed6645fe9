-- A chat. The list of rooms shows who is in each, the latest message and how much each member has not read yet; it is
-- what every client asks for first and most often.

CREATE TABLE member (
    id          bigint PRIMARY KEY,
    handle      text NOT NULL UNIQUE,
    avatar      text
);

CREATE TABLE room (
    id          bigint PRIMARY KEY,
    topic       text NOT NULL,
    archived    boolean NOT NULL DEFAULT false
);

CREATE TABLE membership (
    room_id     bigint NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    member_id   bigint NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    role        text NOT NULL DEFAULT 'guest',
    -- Everything up to this message has been read.
    read_up_to  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, member_id)
);

CREATE TABLE message (
    id          bigint PRIMARY KEY,
    room_id     bigint NOT NULL REFERENCES room (id) ON DELETE CASCADE,
    member_id   bigint REFERENCES member (id) ON DELETE SET NULL,
    body        text NOT NULL,
    sent_at     timestamptz NOT NULL DEFAULT '2026-01-01 00:00+00',
    deleted     boolean NOT NULL DEFAULT false
);

CREATE TABLE reaction (
    message_id  bigint NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    member_id   bigint NOT NULL REFERENCES member (id) ON DELETE CASCADE,
    emoji       text NOT NULL,
    PRIMARY KEY (message_id, member_id, emoji)
);

CREATE INDEX ON membership (member_id);
CREATE INDEX ON message (room_id, sent_at);
CREATE INDEX ON message (member_id);
CREATE INDEX ON reaction (member_id);

-- A message with its author and its reactions, counted by emoji.
CREATE VIEW v_message AS
SELECT
    m.id,
    m.room_id,
    m.sent_at,
    jsonb_build_object(
        'id', m.id,
        'body', m.body,
        'sent_at', m.sent_at,
        'author', coalesce(a.handle, 'somebody'),
        'reactions', coalesce(
            (SELECT jsonb_object_agg(e.emoji, e.n ORDER BY e.emoji)
             FROM (SELECT r.emoji, count(*) AS n FROM reaction r WHERE r.message_id = m.id GROUP BY r.emoji) e),
            '{}'::jsonb
        )
    ) AS data
FROM message m
LEFT JOIN member a ON a.id = m.member_id
WHERE NOT m.deleted;

-- A room with its members, its latest message and counts.
CREATE VIEW v_room AS
SELECT
    r.id,
    jsonb_build_object(
        'id', r.id,
        'topic', r.topic,
        'members', (SELECT count(*) FROM membership s WHERE s.room_id = r.id),
        'owners', ARRAY(SELECT o.handle
                        FROM membership s JOIN member o ON o.id = s.member_id
                        WHERE s.room_id = r.id AND s.role = 'owner'
                        ORDER BY o.handle),
        'messages', (SELECT count(*) FROM message m WHERE m.room_id = r.id AND NOT m.deleted),
        'latest', latest.data
    ) AS data
FROM room r
LEFT JOIN LATERAL (
    SELECT m.data
    FROM v_message m
    WHERE m.room_id = r.id
    ORDER BY m.sent_at DESC, m.id DESC
    LIMIT 1
) latest ON true
WHERE NOT r.archived;

-- What one member sees of one room: keyed by both.
CREATE VIEW v_inbox AS
SELECT
    s.room_id,
    s.member_id,
    jsonb_build_object(
        'topic', r.topic,
        'role', s.role,
        'unread', (SELECT count(*) FROM message m
                   WHERE m.room_id = s.room_id AND m.id > s.read_up_to AND NOT m.deleted
                     AND m.member_id IS DISTINCT FROM s.member_id),
        'mentioned', EXISTS (SELECT 1 FROM message m
                             WHERE m.room_id = s.room_id AND m.id > s.read_up_to AND NOT m.deleted
                               AND strpos(m.body, '@' || me.handle) > 0)
    ) AS data
FROM membership s
JOIN room r ON r.id = s.room_id
JOIN member me ON me.id = s.member_id;
