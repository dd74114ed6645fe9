-- Documents in documents, level by level: what was computed for one tview is what the next one embeds.
CREATE TABLE server (id integer PRIMARY KEY, name text NOT NULL, ip inet, up boolean NOT NULL DEFAULT true);
CREATE TABLE config (id integer PRIMARY KEY, name text NOT NULL, main_id integer REFERENCES server);
CREATE TABLE config_server (
    config_id integer NOT NULL REFERENCES config ON DELETE CASCADE,
    server_id integer NOT NULL REFERENCES server ON DELETE CASCADE ON UPDATE CASCADE,
    prio integer, PRIMARY KEY (config_id, server_id));
CREATE TABLE alloc (id integer PRIMARY KEY, config_id integer REFERENCES config ON DELETE SET NULL, spare_id integer REFERENCES config, label text);
CREATE TABLE ping (server_id integer NOT NULL REFERENCES server ON DELETE CASCADE ON UPDATE CASCADE, n integer NOT NULL, ms numeric, PRIMARY KEY (server_id, n));
CREATE INDEX ON config_server (server_id);
CREATE INDEX ON config (main_id);
CREATE INDEX ON alloc (config_id);
CREATE INDEX ON alloc (spare_id);

CREATE VIEW v_server AS
SELECT s.id, s.up, jsonb_build_object('id', s.id, 'name', s.name, 'ip', host(s.ip),
       'slow', (SELECT max(p.ms) FROM ping p WHERE p.server_id = s.id)) AS data
  FROM server s;

CREATE VIEW v_config AS
SELECT c.id, jsonb_build_object('id', c.id, 'name', c.name, 'main', m.data,
       'servers', coalesce((SELECT jsonb_agg(v.data ORDER BY cs.prio, v.id)
                              FROM config_server cs JOIN v_server v ON v.id = cs.server_id
                             WHERE cs.config_id = c.id AND v.up), '[]'::jsonb)) AS data
  FROM config c LEFT JOIN v_server m ON m.id = c.main_id;

CREATE VIEW v_alloc AS
SELECT a.id, jsonb_build_object('id', a.id, 'label', a.label, 'config', v_config.data, 'spare', s.data -> 'servers') AS data
  FROM alloc a LEFT JOIN v_config ON v_config.id = a.config_id LEFT JOIN v_config s ON s.id = a.spare_id;

CREATE VIEW v_overview AS
SELECT c.id, c.name, jsonb_build_object('config', v.data, 'allocs',
       (SELECT jsonb_agg(jsonb_build_object('id', a.id, 'label', a.label, 'doc', d.data) ORDER BY a.label DESC NULLS LAST, a.id)
          FROM alloc a JOIN v_alloc d ON d.id = a.id WHERE a.config_id = c.id)) AS data
  FROM config c JOIN v_config v ON v.id = c.id;
