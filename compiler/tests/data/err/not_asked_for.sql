-- Nothing says that these queries have a row.
CREATE TABLE usr (id integer PRIMARY KEY, nick text NOT NULL);
CREATE TABLE grp (id integer PRIMARY KEY, o integer);
CREATE TABLE member (grp_id integer NOT NULL, usr_id integer NOT NULL, PRIMARY KEY (grp_id, usr_id));
CREATE VIEW v_g1 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE EXISTS (SELECT count(*) FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id))) AS data FROM grp g;
CREATE VIEW v_g2 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE EXISTS (SELECT 1 FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id HAVING true))) AS data FROM grp g;
CREATE VIEW v_g3 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id))) AS data FROM grp g;
CREATE VIEW v_g4 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE u.id NOT IN (SELECT m.usr_id FROM member m WHERE m.grp_id = g.id))) AS data FROM grp g;
CREATE VIEW v_g5 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE u.id = 1 OR u.id IN (SELECT m.usr_id FROM member m WHERE m.grp_id = g.id))) AS data FROM grp g;
CREATE VIEW v_g6 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE EXISTS (SELECT 1 FROM grp h LEFT JOIN member m ON m.grp_id = g.id AND m.usr_id = u.id WHERE h.id = g.id))) AS data FROM grp g;
CREATE VIEW v_g7 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id) ORDER BY u.id) FROM usr u WHERE (SELECT true FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id) IS NULL)) AS data FROM grp g;
CREATE VIEW v_g8 AS SELECT g.id, jsonb_build_object('usrs', (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'x', x.usr_id) ORDER BY u.id) FROM usr u LEFT JOIN LATERAL (SELECT k.usr_id FROM member k WHERE EXISTS (SELECT FROM member m WHERE m.grp_id = g.id AND m.usr_id = u.id AND m.usr_id = k.usr_id)) x ON true)) AS data FROM grp g;
