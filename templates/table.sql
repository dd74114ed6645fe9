-- ---------------------------------------------------------------------------------------------
-- {{ name }}: what its writes do
{%- for line in purposes %}
-- {{ line }}
{%- endfor %}
-- ---------------------------------------------------------------------------------------------

{%- if let Some(split) = split %}
CREATE OR REPLACE FUNCTION tview.{{ split.write }}(
    operation text,
    -- The changed rows, one array element each, as they were and as they are.
{%- for column in carried %}
    {{ column.old }} {{ column.array_type }},
    {{ column.new }} {{ column.array_type }}{% if !loop.last || !flags.is_empty() %},{% endif %}
{%- endfor %}
{%- for flag in flags %}
    {{ flag.name }} boolean[]{% if !loop.last %},{% endif %} -- whether any of these changed: {{ flag.columns }}
{%- endfor %}
)
RETURNS void
LANGUAGE plpgsql
{{ settings }}
{% include "plan_mode.sql" %}
AS $tview$
#variable_conflict use_variable
DECLARE
{%- include "table_keys.sql" %}
BEGIN
    IF operation = 'TRUNCATE' THEN
        PERFORM tview.require_read_committed();
{%- for line in truncate %}
        {{ line }}
{%- endfor %}
        RETURN;
    END IF;
{% include "table_write.sql" %}
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ split.write }} FROM PUBLIC;

-- Tells whether anything has changed. That is all that most writes of other columns have to pay for: so it has no SET clauses, and
-- names what it uses with its schema, whatever the session's search_path is.
CREATE OR REPLACE FUNCTION tview.{{ function }}()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
AS $tview$
#variable_conflict use_variable
BEGIN
    IF TG_OP OPERATOR(pg_catalog.=) 'UPDATE' THEN
        -- Bytes are compared: 1.0 and 1.00 are equal and read differently. One row that has kept its key needs none of what pairs many.
        IF EXISTS (SELECT FROM new_rows AS n OFFSET 1)
           OR EXISTS (SELECT FROM new_rows AS n LEFT JOIN old_rows AS o ON true WHERE {{ split.differs }}) THEN
            PERFORM tview.{{ split.write }}(TG_OP COLLATE pg_catalog."default", {{ split.one_row_arguments }})
               FROM new_rows AS n
               JOIN old_rows AS o ON ({{ split.same_row }}) IS TRUE
              WHERE NOT EXISTS (SELECT FROM new_rows AS n OFFSET 1);
            IF NOT FOUND THEN
                PERFORM tview.{{ split.write }}(TG_OP COLLATE pg_catalog."default", {{ split.update_arguments }})
                   {{ split.changed }}
                 HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
            END IF;
        END IF;
    ELSIF TG_OP OPERATOR(pg_catalog.=) 'INSERT' THEN
        PERFORM tview.{{ split.write }}(TG_OP COLLATE pg_catalog."default", {{ split.insert_arguments }})
           FROM new_rows AS n
         HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
    ELSIF TG_OP OPERATOR(pg_catalog.=) 'DELETE' THEN
        PERFORM tview.{{ split.write }}(TG_OP COLLATE pg_catalog."default", {{ split.delete_arguments }})
           FROM old_rows AS o
         HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0;
    ELSE
        PERFORM tview.{{ split.write }}(TG_OP COLLATE pg_catalog."default", {{ split.truncate_arguments }});
    END IF;
    RETURN NULL;
END
$tview$;
{%- else %}
CREATE OR REPLACE FUNCTION tview.{{ function }}()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
{{ settings }}
{% include "plan_mode.sql" %}
AS $tview$
#variable_conflict use_variable
DECLARE
    -- The changed rows, one array element each, as they were and as they are.
{%- for column in carried %}
    {{ column.old }} {{ column.array_type }};
    {{ column.new }} {{ column.array_type }};
{%- endfor %}
{%- for flag in flags %}
    {{ flag.name }} boolean[]; -- whether any of these changed: {{ flag.columns }}
{%- endfor %}
{%- include "table_keys.sql" %}{%- if partitioned %}
    -- How many rows may have moved to another partition, and whether the statement shows all that it did.
    moves bigint;
    seen boolean := true;
{%- endif %}
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT {{ insert_aggregates }}
          INTO {{ new_variables }}
          FROM new_rows AS n;
{%- if partitioned %}
        PERFORM tview.is_inserting({{ program_literal }}, TG_RELID, ends => true);
{%- endif %}
    ELSIF TG_OP = 'DELETE' THEN
        SELECT {{ delete_aggregates }}
          INTO {{ old_variables }}
          FROM old_rows AS o;
    ELSIF TG_OP = 'UPDATE' THEN
{{ update }}
{%- if partitioned %}
        moves := tview.take_moves({{ program_literal }}, TG_RELID);
        IF tview.is_inserting({{ program_literal }}, TG_RELID, ends => false) THEN
            seen := moves = 0 AND NOT EXISTS ({{ unpaired }});
        ELSIF moves > 0 THEN
            EXECUTE format('SELECT $1 <= count(*) FROM (SELECT %1$s FROM old_rows EXCEPT ALL SELECT %1$s FROM new_rows) AS d',
                           tview.partition_columns(TG_RELID, '')) INTO seen USING moves;
        END IF;
        IF NOT seen THEN -- MERGE has changed rows that it does not show as they are
            PERFORM tview.require_read_committed();
{%- for line in refresh %}
            {{ line }}
{%- endfor %}
            RETURN NULL;
        END IF;
{%- endif %}
    ELSE -- TRUNCATE
        PERFORM tview.require_read_committed();
{%- for line in truncate %}
        {{ line }}
{%- endfor %}
        RETURN NULL;
    END IF;
    IF {{ first_old }} IS NULL AND {{ first_new }} IS NULL THEN
        RETURN NULL; -- no row, or no column that a view reads, has changed
    END IF;
{% include "table_write.sql" %}

    RETURN NULL;
END
$tview$;
{%- endif %}

REVOKE EXECUTE ON FUNCTION tview.{{ function }}() FROM PUBLIC;
{%- if let Some(reached) = reached %}

-- For transactions under REPEATABLE READ and SERIALIZABLE, where the extension is: which documents such a write reaches, as who asks
-- sees it. With what the transaction itself saw `before`, it ends where that has missed something.
CREATE OR REPLACE FUNCTION tview.{{ reached.function }}(
    before jsonb,
{%- for column in carried %}
    {{ column.old }} {{ column.array_type }},
    {{ column.new }} {{ column.array_type }}{% if !loop.last || !flags.is_empty() %},{% endif %}
{%- endfor %}
{%- for flag in flags %}
    {{ flag.name }} boolean[]{% if !loop.last %},{% endif %}
{%- endfor %}
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
{{ reached.settings }}
{% include "plan_mode.sql" %}
AS $tview$
#variable_conflict use_variable
DECLARE
    reached jsonb := '{}';
    keys jsonb;
BEGIN
{%- for step in reached.steps %}
{{ step }}
{%- endfor %}
    RETURN reached;
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ reached.function }} FROM PUBLIC;
{%- endif %}

-- AFTER … FOR EACH STATEMENT triggers fire in the order of their names: these come after others.
DO $tview$
BEGIN
{%- for trigger in triggers %}
    IF NOT EXISTS (SELECT FROM pg_trigger AS g
                    WHERE g.tgrelid = {{ name_literal }}::regclass AND g.tgname = {{ trigger.literal }}) THEN
        CREATE TRIGGER {{ trigger.name }}
            AFTER {{ trigger.event }} ON {{ name }}
            {{ trigger.referencing }}FOR EACH STATEMENT EXECUTE FUNCTION tview.{{ function }}();
    END IF;
{%- endfor %}
{%- if partitioned %}
    PERFORM tview.attach_triggers({{ program_literal }}, {{ name_literal }}, {{ function_literal }});
{%- endif %}
END
$tview$;
