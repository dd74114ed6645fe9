-- Network configurations: what a provisioning service asks for in one request. A configuration names its gateway and
-- its DNS servers, and lists the prefixes that were handed out from it, each with the addresses in use: three levels.

CREATE TABLE dns_server (
    id          uuid PRIMARY KEY,
    address     inet NOT NULL UNIQUE,
    name        text NOT NULL,
    is_public   boolean NOT NULL DEFAULT false
);

CREATE TABLE gateway (
    id          uuid PRIMARY KEY,
    address     inet NOT NULL,
    vendor      text
);

CREATE TABLE network (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    range       cidr NOT NULL,
    gateway_id  uuid REFERENCES gateway (id) ON DELETE SET NULL
);

-- Which servers a network announces, in the order in which clients are to try them.
CREATE TABLE network_dns (
    network_id  uuid NOT NULL REFERENCES network (id) ON DELETE CASCADE,
    server_id   uuid NOT NULL REFERENCES dns_server (id) ON DELETE CASCADE,
    priority    integer NOT NULL DEFAULT 10,
    PRIMARY KEY (network_id, server_id)
);

CREATE TABLE allocation (
    id          uuid PRIMARY KEY,
    network_id  uuid NOT NULL REFERENCES network (id) ON DELETE CASCADE,
    prefix      cidr NOT NULL,
    purpose     text,
    released_at timestamptz
);

CREATE TABLE address (
    allocation_id uuid NOT NULL REFERENCES allocation (id) ON DELETE CASCADE,
    ip            inet NOT NULL,
    host          text NOT NULL,
    PRIMARY KEY (allocation_id, ip)
);

CREATE INDEX ON network (gateway_id);
CREATE INDEX ON network_dns (server_id);
CREATE INDEX ON allocation (network_id);

-- The small documents are views of their own, and the large ones are put together from them.
CREATE VIEW v_dns_server AS
SELECT
    s.id,
    jsonb_build_object(
        'id', s.id,
        'address', host(s.address),
        'name', s.name,
        'public', s.is_public
    ) AS data
FROM dns_server s;

CREATE VIEW v_allocation AS
SELECT
    a.id,
    a.network_id,
    a.prefix,
    jsonb_build_object(
        'id', a.id,
        'prefix', a.prefix,
        'purpose', coalesce(a.purpose, 'unassigned'),
        'in_use', (SELECT count(*) FROM address i WHERE i.allocation_id = a.id),
        'addresses', coalesce(
            (SELECT jsonb_agg(jsonb_build_object('ip', host(i.ip), 'host', i.host) ORDER BY i.ip)
             FROM address i
             WHERE i.allocation_id = a.id),
            '[]'::jsonb
        )
    ) AS data
FROM allocation a
WHERE a.released_at IS NULL;

CREATE VIEW v_network AS
SELECT
    n.id,
    n.name,
    jsonb_build_object(
        'id', n.id,
        'name', n.name,
        'range', n.range,
        'gateway', CASE WHEN g.id IS NOT NULL THEN
            jsonb_build_object('address', host(g.address), 'vendor', g.vendor)
        END,
        'dns_servers', coalesce(
            (SELECT jsonb_agg(s.data || jsonb_build_object('priority', d.priority) ORDER BY d.priority, d.server_id)
             FROM network_dns d
             JOIN v_dns_server s ON s.id = d.server_id
             WHERE d.network_id = n.id),
            '[]'::jsonb
        ),
        'allocations', coalesce(
            (SELECT jsonb_agg(a.data ORDER BY a.prefix, a.id) FROM v_allocation a WHERE a.network_id = n.id),
            '[]'::jsonb
        )
    ) AS data
FROM network n
LEFT JOIN gateway g ON g.id = n.gateway_id;
