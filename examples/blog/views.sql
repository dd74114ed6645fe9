-- The blog: authors write posts and comments. Two read models, each a document per row.

CREATE TABLE bench_authors (
    id         serial PRIMARY KEY,
    name       text NOT NULL,
    email      text NOT NULL,
    created_at timestamptz DEFAULT now()
);

CREATE TABLE bench_posts (
    id         serial PRIMARY KEY,
    author_id  integer NOT NULL REFERENCES bench_authors (id),
    title      text NOT NULL,
    content    text NOT NULL,
    status     text DEFAULT 'draft',
    created_at timestamptz DEFAULT now()
);

CREATE TABLE bench_comments (
    id         serial PRIMARY KEY,
    post_id    integer NOT NULL REFERENCES bench_posts (id),
    author_id  integer NOT NULL REFERENCES bench_authors (id),
    content    text NOT NULL,
    created_at timestamptz DEFAULT now()
);

CREATE INDEX idx_posts_author ON bench_posts (author_id);
CREATE INDEX idx_comments_post ON bench_comments (post_id);
CREATE INDEX idx_comments_author ON bench_comments (author_id);

-- A comment with its author.
CREATE VIEW v_bench_comments AS
SELECT
    c.id,
    c.post_id,
    jsonb_build_object(
        'id', c.id,
        'content', c.content,
        'created_at', c.created_at,
        'author', jsonb_build_object(
            'id', a.id,
            'name', a.name,
            'email', a.email
        )
    ) AS data
FROM bench_comments c
JOIN bench_authors a ON c.author_id = a.id;

-- A post with its author and its comments, each with its own author.
CREATE VIEW v_bench_posts AS
SELECT
    p.id,
    p.author_id,
    jsonb_build_object(
        'id', p.id,
        'title', p.title,
        'content', p.content,
        'status', p.status,
        'created_at', p.created_at,
        'author', jsonb_build_object(
            'id', a.id,
            'name', a.name,
            'email', a.email
        ),
        'comments', COALESCE(
            (SELECT jsonb_agg(
                jsonb_build_object(
                    'id', c.id,
                    'content', c.content,
                    'created_at', c.created_at,
                    'author', jsonb_build_object(
                        'id', ca.id,
                        'name', ca.name,
                        'email', ca.email
                    )
                )
                ORDER BY c.id
            )
            FROM bench_comments c
            JOIN bench_authors ca ON c.author_id = ca.id
            WHERE c.post_id = p.id),
            '[]'::jsonb
        )
    ) AS data
FROM bench_posts p
JOIN bench_authors a ON p.author_id = a.id;
