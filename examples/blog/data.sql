-- 100 authors, 1,000 posts, 5,000 comments: the same rows on every machine and server version.
--
-- Posts belong to authors and comments to posts by a small congruential generator, because the values of random()
-- depend on the server's version.

BEGIN;

INSERT INTO bench_authors (name, email, created_at)
SELECT
    'Author ' || i,
    'author' || i || '@example.com',
    timestamptz '2024-01-01 00:00:00+00' + i * interval '1 hour'
FROM generate_series(1, 100) AS i
ORDER BY i;

INSERT INTO bench_posts (author_id, title, content, status, created_at)
SELECT
    (i * 48271 + i * i * 16807) % 2147483647 % 100 + 1,
    'Post Title ' || i,
    'Lorem ipsum dolor sit amet, consectetur adipiscing elit. '
        || 'This is post number ' || i || '. '
        || repeat('Content goes here. ', 20),
    CASE WHEN i % 5 = 0 THEN 'draft' ELSE 'published' END,
    timestamptz '2024-02-01 00:00:00+00' + i * interval '10 minutes'
FROM generate_series(1::bigint, 1000) AS i
ORDER BY i;

INSERT INTO bench_comments (post_id, author_id, content, created_at)
SELECT
    (i * 69621 + i * i * 40692) % 2147483399 % 1000 + 1,
    (i * 39373 + i * i * 40014) % 2147483563 % 100 + 1,
    'This is comment ' || i || '. ' || repeat('Comment content here. ', 10),
    timestamptz '2024-03-01 00:00:00+00' + i * interval '1 minute'
FROM generate_series(1::bigint, 5000) AS i
ORDER BY i;

COMMIT;
