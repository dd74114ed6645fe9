-- Two uses of one table whose values stand side by side in one object, in objects within objects, and at the root: what one
-- statement changes for both is written at once, and neither change may undo the other.

CREATE TABLE person (
    id    integer PRIMARY KEY,
    name  text,
    tag   text,
    score numeric
);

CREATE TABLE team (
    id     integer PRIMARY KEY,
    title  text,
    lead   integer NOT NULL REFERENCES person (id),
    deputy integer REFERENCES person (id)
);

CREATE INDEX team_lead ON team (lead);
CREATE INDEX team_deputy ON team (deputy);

CREATE VIEW v_team AS
SELECT
    m.id,
    d.tag AS deputy_tag,
    l.tag AS lead_tag,
    jsonb_build_object(
        'id', m.id,
        'title', m.title,
        'lead_name', l.name,
        'deputy_name', d.name,
        'deputy', jsonb_build_object('id', d.id, 'name', d.name),
        'people', jsonb_build_object(
            'lead', l.name,
            'lead_score', l.score,
            'deputy', d.name,
            'deputy_score', d.score,
            'tags', jsonb_build_object('lead', l.tag, 'deputy', d.tag),
            'more', jsonb_build_object('x', l.score, 'y', l.name, 'u', d.score, 'v', d.name, 'title', m.title)
        )
    ) AS data
FROM team AS m
JOIN person AS l ON l.id = m.lead
LEFT JOIN person AS d ON d.id = m.deputy;
