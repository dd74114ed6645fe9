-- A tree: the parents two levels up, the children two levels down, all of one table, without foreign keys.
CREATE TABLE node (
    id        integer PRIMARY KEY,
    parent_id integer,
    link_id   numeric,
    label     text,
    weight    numeric
);
CREATE INDEX ON node (parent_id);
CREATE INDEX ON node (link_id);

CREATE VIEW v_node AS
SELECT n.id,
       jsonb_build_object(
           'label', n.label, 'weight', n.weight,
           'up', p.label,
           'upup', (SELECT g.label FROM node g WHERE g.id = p.parent_id),
           'root', pp.id IS NULL,
           'link', to_jsonb(l),
           'down', (SELECT jsonb_agg(jsonb_build_object(
                               'id', c.id, 'label', c.label, 'of', n.label,
                               'down', (SELECT jsonb_agg(d.label ORDER BY d.weight DESC NULLS LAST, d.id)
                                          FROM node d WHERE d.parent_id = c.id AND d.weight >= n.weight),
                               'cousins', (SELECT count(*) FROM node e WHERE e.parent_id = n.parent_id AND e.id <> n.id))
                           ORDER BY (SELECT count(*) FROM node o WHERE o.parent_id = c.id), c.id)
                      FROM node c WHERE c.parent_id = n.id),
           'heaviest', (SELECT c.label FROM node c WHERE c.parent_id = n.id ORDER BY c.weight DESC, c.id LIMIT 1)
       ) AS data
  FROM node n
  LEFT JOIN node p ON p.id = n.parent_id
  LEFT JOIN node pp ON pp.id = p.parent_id
  LEFT JOIN node l ON l.id = n.link_id;

-- Leaves only: a node goes when it gets a child.
-- tviewc: key(id)
CREATE VIEW v_leaf AS
SELECT n.id, jsonb_build_object('label', n.label, 'parent', p.label) AS data
  FROM node n LEFT JOIN node c ON c.parent_id = n.id LEFT JOIN node p ON p.id = n.parent_id
 WHERE c.id IS NULL;
