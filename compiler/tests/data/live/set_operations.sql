-- UNION ALL, UNION, EXCEPT, INTERSECT: at the top, in derived tables, in subqueries, below views.
CREATE TABLE account (id integer PRIMARY KEY, name text NOT NULL, closed boolean NOT NULL DEFAULT false);
CREATE TABLE payment (id integer PRIMARY KEY, account_id integer NOT NULL REFERENCES account ON DELETE CASCADE, amount integer NOT NULL);
CREATE TABLE refund (id integer PRIMARY KEY, payment_id integer REFERENCES payment ON DELETE SET NULL, amount integer NOT NULL);
CREATE TABLE fee (id integer PRIMARY KEY, account_id integer, amount integer);
CREATE INDEX ON payment (account_id);
CREATE INDEX ON refund (payment_id);
CREATE INDEX ON fee (account_id);

CREATE VIEW ledger AS
SELECT 'payment' AS kind, p.id, p.account_id, p.amount FROM payment p
UNION ALL
SELECT 'refund', r.id, p.account_id, -r.amount FROM refund r JOIN payment p ON p.id = r.payment_id
UNION ALL
SELECT 'fee', f.id, f.account_id, -f.amount FROM fee f WHERE f.account_id IS NOT NULL;

CREATE VIEW v_ledger AS
SELECT l.kind, l.id, jsonb_build_object('account', a.name, 'amount', l.amount) AS data
  FROM ledger l JOIN account a ON a.id = l.account_id;

CREATE VIEW v_entry AS
SELECT 'p' AS kind, p.id, jsonb_build_object('amount', p.amount, 'name', a.name) AS data
  FROM payment p JOIN account a ON a.id = p.account_id
UNION
SELECT 'f', f.id, jsonb_build_object('amount', f.amount) FROM fee f;

CREATE VIEW v_account AS
SELECT a.id, jsonb_build_object(
    'name', a.name,
    'entries', (SELECT jsonb_agg(jsonb_build_object('k', l.kind, 'i', l.id, 'n', l.amount) ORDER BY l.kind, l.id)
                  FROM ledger l WHERE l.account_id = a.id),
    'balance', (SELECT coalesce(sum(l.amount), 0) FROM ledger l WHERE l.account_id = a.id),
    'amounts', ARRAY(SELECT p.amount FROM payment p WHERE p.account_id = a.id
                     INTERSECT SELECT f.amount FROM fee f WHERE f.account_id = a.id ORDER BY 1)) AS data
  FROM account a;

-- Accounts that have payments and no fee.
CREATE VIEW v_unbilled AS
SELECT a.id, jsonb_build_object('n', a.name) AS data FROM account a JOIN payment p ON p.account_id = a.id
EXCEPT
SELECT a.id, jsonb_build_object('n', a.name) FROM account a JOIN fee f ON f.account_id = a.id;

CREATE VIEW v_balance AS
SELECT l.account_id, jsonb_build_object('sum', sum(l.amount), 'kinds', jsonb_agg(DISTINCT l.kind)) AS data
  FROM ledger l WHERE l.account_id IS NOT NULL GROUP BY l.account_id;
