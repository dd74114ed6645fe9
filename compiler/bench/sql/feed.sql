-- Users, their posts and the comments on them: three read models, each embedding what it shows of its parents.

CREATE TABLE users (
    id        integer PRIMARY KEY,
    username  text NOT NULL,
    bio       text NOT NULL,
    -- No view shows it.
    last_seen timestamptz NOT NULL
);

CREATE TABLE posts (
    id        integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES users (id),
    title     text NOT NULL,
    content   text NOT NULL
);

CREATE TABLE comments (
    id        integer PRIMARY KEY,
    post_id   integer NOT NULL REFERENCES posts (id),
    author_id integer NOT NULL REFERENCES users (id),
    content   text NOT NULL
);

CREATE INDEX posts_author ON posts (author_id);
CREATE INDEX comments_post ON comments (post_id);
CREATE INDEX comments_author ON comments (author_id);

CREATE VIEW v_user AS
SELECT u.id, jsonb_build_object('id', u.id, 'username', u.username, 'bio', u.bio) AS data
  FROM users AS u;

CREATE VIEW v_post AS
SELECT p.id,
       jsonb_build_object(
           'id', p.id,
           'title', p.title,
           'content', p.content,
           'author', jsonb_build_object('id', u.id, 'username', u.username, 'bio', u.bio)
       ) AS data
  FROM posts AS p
  JOIN users AS u ON u.id = p.author_id;

CREATE VIEW v_comment AS
SELECT c.id,
       jsonb_build_object(
           'id', c.id,
           'content', c.content,
           'author', jsonb_build_object('id', u.id, 'username', u.username),
           'post', jsonb_build_object('id', p.id, 'title', p.title)
       ) AS data
  FROM comments AS c
  JOIN users AS u ON u.id = c.author_id
  JOIN posts AS p ON p.id = c.post_id;
