{%- if reached.is_some() %}
    -- Looks again with a newer snapshot, where the transaction's is older than the locks.
    look_again text;
{%- endif %}
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
{%- if !written_variables.is_empty() %}
    -- Of those that are not locked first, the keys of what was changed.
{%- for key in written_variables %}
    {{ key.name }} {{ key.array_type }};
{%- endfor %}
{%- endif %}
{%- if !part_variables.is_empty() %}
    -- The keys of the documents, and elements in them, that are computed again in part.
{%- for key in part_variables %}
    {{ key.name }} {{ key.array_type }};
{%- endfor %}
{%- endif %}
{%- if !named_tables.is_empty() %}
    -- A table that has taken the name of one that is read here.
    stranger regclass;
{%- endif %}
