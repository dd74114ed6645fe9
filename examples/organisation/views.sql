-- An organisation in one document: companies have divisions, divisions have teams, teams have people, people have skills.
-- Arrays four deep, written out in one view, as a GraphQL resolver would ask for it.

CREATE TABLE company (
    id          integer PRIMARY KEY,
    name        text NOT NULL,
    founded     date
);

CREATE TABLE division (
    id          integer PRIMARY KEY,
    company_id  integer NOT NULL REFERENCES company (id) ON DELETE CASCADE,
    name        text NOT NULL
);

CREATE TABLE person (
    id          integer PRIMARY KEY,
    name        text NOT NULL,
    title       text
);

CREATE TABLE team (
    id          integer PRIMARY KEY,
    division_id integer NOT NULL REFERENCES division (id) ON DELETE CASCADE,
    lead_id     integer REFERENCES person (id) ON DELETE SET NULL,
    name        text NOT NULL
);

CREATE TABLE team_member (
    team_id     integer NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    person_id   integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    since       date,
    PRIMARY KEY (team_id, person_id)
);

CREATE TABLE skill (
    person_id   integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    name        text NOT NULL,
    level       smallint NOT NULL DEFAULT 1,
    PRIMARY KEY (person_id, name)
);

CREATE INDEX ON division (company_id);
CREATE INDEX ON team (division_id);
CREATE INDEX ON team (lead_id);
CREATE INDEX ON team_member (person_id);

CREATE VIEW v_company AS
SELECT
    c.id,
    jsonb_build_object(
        'name', c.name,
        'founded', c.founded,
        'headcount', (SELECT count(DISTINCT m.person_id)
                      FROM division d
                      JOIN team t ON t.division_id = d.id
                      JOIN team_member m ON m.team_id = t.id
                      WHERE d.company_id = c.id),
        'divisions', (
            SELECT jsonb_agg(jsonb_build_object(
                'id', d.id,
                'name', d.name,
                'teams', (
                    SELECT jsonb_agg(jsonb_build_object(
                        'id', t.id,
                        'name', t.name,
                        'lead', boss.name,
                        'people', (
                            SELECT jsonb_agg(jsonb_build_object(
                                'id', p.id,
                                'name', p.name,
                                'title', p.title,
                                'since', m.since,
                                'skills', (
                                    SELECT jsonb_agg(jsonb_build_object('name', s.name, 'level', s.level)
                                                     ORDER BY s.level DESC, s.name)
                                    FROM skill s
                                    WHERE s.person_id = p.id
                                )
                            ) ORDER BY p.name, p.id)
                            FROM team_member m
                            JOIN person p ON p.id = m.person_id
                            WHERE m.team_id = t.id
                        )
                    ) ORDER BY t.name, t.id)
                    FROM team t
                    LEFT JOIN person boss ON boss.id = t.lead_id
                    WHERE t.division_id = d.id
                )
            ) ORDER BY d.name, d.id)
            FROM division d
            WHERE d.company_id = c.id
        )
    ) AS data
FROM company c;

-- The same people from the other side: whom somebody works with.
CREATE VIEW v_person AS
SELECT
    p.id,
    p.name,
    jsonb_build_object('name', p.name, 'title', p.title) AS card,
    jsonb_build_object(
        'teams', (SELECT jsonb_agg(t.name ORDER BY t.name, t.id)
                  FROM team_member m JOIN team t ON t.id = m.team_id
                  WHERE m.person_id = p.id),
        'leads', (SELECT count(*) FROM team t WHERE t.lead_id = p.id),
        'colleagues', (SELECT jsonb_agg(DISTINCT other.name ORDER BY other.name)
                       FROM team_member m
                       JOIN team_member o ON o.team_id = m.team_id AND o.person_id <> m.person_id
                       JOIN person other ON other.id = o.person_id
                       WHERE m.person_id = p.id)
    ) AS data
FROM person p;
