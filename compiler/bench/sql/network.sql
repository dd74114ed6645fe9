-- DNS servers, network configurations that list servers in order, and allocations that show a configuration with its servers.

CREATE TABLE dns_server (
    id      integer PRIMARY KEY,
    name    text NOT NULL,
    address text NOT NULL,
    note    text NOT NULL
);

CREATE TABLE configuration (
    id   integer PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE configuration_server (
    configuration_id integer NOT NULL REFERENCES configuration (id),
    position         integer NOT NULL,
    server_id        integer NOT NULL REFERENCES dns_server (id),
    PRIMARY KEY (configuration_id, position)
);

CREATE TABLE allocation (
    id               integer PRIMARY KEY,
    configuration_id integer NOT NULL REFERENCES configuration (id),
    name             text NOT NULL,
    note             text NOT NULL
);

CREATE INDEX configuration_server_server ON configuration_server (server_id);
CREATE INDEX allocation_configuration ON allocation (configuration_id);

CREATE VIEW v_dns_server AS
SELECT s.id, jsonb_build_object('id', s.id, 'name', s.name, 'address', s.address, 'note', s.note) AS data
  FROM dns_server AS s;

CREATE VIEW v_configuration AS
SELECT c.id,
       jsonb_build_object(
           'id', c.id,
           'name', c.name,
           'servers', coalesce(
               (SELECT jsonb_agg(
                           jsonb_build_object('position', cs.position, 'id', s.id, 'name', s.name, 'address', s.address, 'note', s.note)
                           ORDER BY cs.position)
                  FROM configuration_server AS cs
                  JOIN dns_server AS s ON s.id = cs.server_id
                 WHERE cs.configuration_id = c.id),
               '[]')
       ) AS data
  FROM configuration AS c;

CREATE VIEW v_allocation AS
SELECT a.id,
       jsonb_build_object('id', a.id, 'name', a.name, 'note', a.note, 'configuration', c.data) AS data
  FROM allocation AS a
  JOIN v_configuration AS c ON c.id = a.configuration_id;
