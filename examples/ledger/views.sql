-- A ledger: invoices, payments and credit notes are tables of their own, and the statement of an account shows them as
-- one list. UNION ALL puts them together; a constant tells them apart, so that every line has a key.

CREATE TABLE account (
    id          integer PRIMARY KEY,
    holder      text NOT NULL,
    currency    char(3) NOT NULL DEFAULT 'EUR'
);

CREATE TABLE invoice (
    id          integer PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES account (id),
    amount      numeric(12, 2) NOT NULL,
    booked_on   date NOT NULL,
    cancelled   boolean NOT NULL DEFAULT false
);

CREATE TABLE payment (
    id          integer PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES account (id),
    invoice_id  integer REFERENCES invoice (id) ON DELETE SET NULL,
    amount      numeric(12, 2) NOT NULL,
    booked_on   date NOT NULL,
    method      text
);

CREATE TABLE credit_note (
    id          integer PRIMARY KEY,
    invoice_id  integer NOT NULL REFERENCES invoice (id) ON DELETE CASCADE,
    amount      numeric(12, 2) NOT NULL,
    booked_on   date NOT NULL,
    reason      text
);

CREATE INDEX ON invoice (account_id);
CREATE INDEX ON payment (account_id);
CREATE INDEX ON payment (invoice_id);
CREATE INDEX ON credit_note (invoice_id);

-- One document per line of the ledger.
CREATE VIEW v_entry AS
SELECT 'invoice' AS kind, i.id, i.account_id,
       jsonb_build_object('text', 'Invoice ' || i.id, 'on', i.booked_on, 'debit', i.amount, 'holder', a.holder) AS data
FROM invoice i
JOIN account a ON a.id = i.account_id
WHERE NOT i.cancelled
UNION ALL
SELECT 'payment', p.id, p.account_id,
       jsonb_build_object('text', 'Paid by ' || coalesce(p.method, 'transfer'), 'on', p.booked_on, 'credit', p.amount,
                          'holder', a.holder)
FROM payment p
JOIN account a ON a.id = p.account_id
UNION ALL
SELECT 'credit note', n.id, i.account_id,
       jsonb_build_object('text', coalesce(n.reason, 'Credit'), 'on', n.booked_on, 'credit', n.amount,
                          'holder', a.holder)
FROM credit_note n
JOIN invoice i ON i.id = n.invoice_id
JOIN account a ON a.id = i.account_id;

-- The statement of an account, over the same three tables.
CREATE VIEW v_statement AS
WITH entry AS (
    SELECT 1 AS rank, i.id, i.account_id, i.booked_on, i.amount FROM invoice i WHERE NOT i.cancelled
    UNION ALL
    SELECT 2, p.id, p.account_id, p.booked_on, -p.amount FROM payment p
    UNION ALL
    SELECT 3, n.id, i.account_id, n.booked_on, -n.amount FROM credit_note n JOIN invoice i ON i.id = n.invoice_id
)
SELECT
    a.id,
    jsonb_build_object(
        'holder', a.holder,
        'currency', a.currency,
        'balance', (SELECT coalesce(sum(e.amount), 0) FROM entry e WHERE e.account_id = a.id),
        'lines', (SELECT jsonb_agg(jsonb_build_object('on', e.booked_on, 'amount', e.amount)
                                   ORDER BY e.booked_on, e.rank, e.id)
                  FROM entry e
                  WHERE e.account_id = a.id)
    ) AS data
FROM account a;
