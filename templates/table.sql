-- ---------------------------------------------------------------------------------------------
-- {{ name }}: what its writes do
{%- for line in purposes %}
-- {{ line }}
{%- endfor %}
-- ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION tview.{{ function }}()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
{{ settings }}
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
    -- The keys of the documents to recompute.
{%- for key in key_variables %}
    {{ key.name }} {{ key.array_type }};
{%- endfor %}
{%- if !patched_variables.is_empty() %}
    -- The keys of the documents to patch.
{%- for key in patched_variables %}
    {{ key.name }} {{ key.array_type }};
{%- endfor %}
{%- endif %}
{%- if !named_tables.is_empty() %}
    -- A table that has taken the name of one that is read here.
    stranger regclass;
{%- endif %}
{%- if partitioned %}
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
{%- if !named_tables.is_empty() %}
    stranger := tview.unknown_table({{ program_literal }}, {{ named_tables }});
    IF stranger IS NOT NULL THEN
        PERFORM tview.refuse_table({{ program_literal }}, stranger);
    END IF;
{%- endif %}
    PERFORM tview.require_read_committed();
{%- for step in steps %}

{{ step }}
{%- endfor %}

    RETURN NULL;
END
$tview$;

REVOKE EXECUTE ON FUNCTION tview.{{ function }}() FROM PUBLIC;

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
